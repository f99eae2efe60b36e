// mirrorfs-agent: finds its container, binds its socket, gives up what it does not need, serves.
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "agent/exit_codes.h"
#include "agent/facts_server.h"
#include "agent/health.h"
#include "agent/listener.h"
#include "agent/options.h"
#include "agent/own_directory.h"
#include "agent/privileges/privileges.h"
#include "agent/relay.h"
#include "agent/secrets.h"
#include "agent/service/agent_server.h"
#include "agent/shared/run_shared.h"
#include "agent/target/runtime_sockets.h"
#include "agent/target/target.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"
#include "protos/wire/protocol_version.h"

namespace mirrorfs {
namespace {

// How long calls that run may go on when the agent is to end.
constexpr absl::Duration kStopGrace = absl::Seconds(2);
constexpr int kMostHeaps = 4;
constexpr absl::Duration kIdleCheckInterval = absl::Milliseconds(250);

void Say(std::string_view line) { fmt::print(stderr, "mirrorfs-agent: {}\n", line); }

int Fail(AgentExit code, const absl::Status& status) {
  Say(std::string(status.message()));
  return static_cast<int>(code);
}

// Signals are waited for, not handled; threads inherit that.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Each heap that malloc makes for some threads keeps what they have freed: with a few of them, and not one for each
// thread, an agent that is flooded needs a third less.
void LimitHeaps() { mallopt(M_ARENA_MAX, kMostHeaps); }

// Handles and cached descriptors need many; the hard limit is the machine's decision.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// False if it is gone already.
bool EndWithParent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  return getppid() == parent;
}

AgentServerOptions ServerOptionsOf(const AgentOptions& options) {
  AgentServerOptions server;
  server.version = MIRRORFS_VERSION;
  server.target_name = options.target;
  server.read_write = options.read_write;
  server.devices = options.devices;
  server.allow_container = options.AllowsContainer();
  server.allow_caller = options.AllowsCaller();
  server.allow_fixed = options.AllowsFixed();
  server.lease = options.lease;
  if (options.verbose) server.log = Say;
  return server;
}

// Lines for whoever has started the agent: "ready ENDPOINT", and "target gone" when the container has ended.
void Tell(int fd, const std::string& line) {
  if (fd < 0) return;
  // Whoever asked for it has gone if this fails, and finds out by himself.
  (void)!write(fd, line.data(), line.size());
}

absl::StatusOr<std::string> FactsText(const Target& target) {
  ASSIGN_OR_RETURN(const ProcessFacts facts, target.ReadProcessFacts());
  return facts.working_directory + '\0' + facts.mount_table + '\0' + facts.environment;
}

absl::Status TellProcessFacts(const AgentOptions& options, const Target& target) {
  if (options.facts_fd < 0) return absl::OkStatus();
  const bool in_between = options.facts_fd == options.ready_fd;
  const UniqueFd output(in_between ? -1 : options.facts_fd);  // its end is the end of the facts
  ASSIGN_OR_RETURN(std::string text, FactsText(target));
  if (in_between) text.insert(0, fmt::format("facts {}\n", text.size()));
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = write(options.facts_fd, text.data() + done, text.size() - done);
    if (count < 0) return LastErrno("--process-facts-fd");
    done += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status CheckRoot(const Target& target) {
  return target.HasRoot() ? target.OpenRoot().status() : absl::OkStatus();
}

// What ends the agent from outside, waited for at most `limit`. True: one of it has come.
bool WaitForOrder(const UniqueFd& signals, bool watch_stdin, absl::Duration limit) {
  std::array<pollfd, 2> wait = {{{.fd = signals.get(), .events = POLLIN, .revents = 0},
                                 {.fd = watch_stdin ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}}};
  if (poll(wait.data(), wait.size(), static_cast<int>(absl::ToInt64Milliseconds(limit))) <= 0) return false;
  if (wait[0].revents != 0) return true;
  std::array<char, 4096> ignored;
  return read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0;
}

// Returns when a signal came, stdin ended where that counts, or nobody has used the agent for `ttl`. A container that
// has ended does not end the agent: it is what answers EHOSTDOWN and ESTALE then.
void ServeUntilOver(const AgentServer& server, const Target& target, const AgentOptions& options,
                    const sigset_t& signals) {
  const UniqueFd signal_fd(signalfd(-1, &signals, SFD_CLOEXEC));
  const bool limited = options.ttl != absl::ZeroDuration();
  const absl::Time first_session_until = absl::Now() + options.first_session;
  bool gone = false;
  bool used = false;
  while (!WaitForOrder(signal_fd, options.exit_with_stdin, kIdleCheckInterval)) {
    used |= server.SessionCount() > 0;
    const bool idle = absl::Now() - server.IdleSince() > options.ttl;
    if (limited && idle && (used || absl::Now() > first_session_until)) return;
    if (!gone && !target.Alive()) {
      gone = true;
      Tell(options.ready_fd, "target gone\n");
    }
  }
}

// A call that hangs in the container's file system must not keep the agent from ending.
void EndSoon() {
  std::thread([] {
    absl::SleepFor(kStopGrace);
    _exit(static_cast<int>(AgentExit::kOk));
  }).detach();
}

// How the agent is reached, and what it was given for that. Made before privileges are given up.
struct Place {
  Listener files;
  Listener facts;  // no socket: nobody is told
  std::string facts_text;
  std::optional<OwnDirectory> directory;
};

absl::Status Listen(const AgentOptions& options, const AgentServerOptions& server, Place& place) {
  const bool with_token = !server.token.empty() || !server.token_sha256.empty();
  ASSIGN_OR_RETURN(place.files, ListenAt(options.listen, with_token && !server.tls_client_ca.empty()));
  if (options.facts_listen.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(place.facts, ListenAt(options.facts_listen, true));
  return absl::OkStatus();
}

// For whoever follows the log of the agent's pod: which program this is, and which certificate is its own.
void SayWhoWeAre(const AgentOptions& options, const AgentServerOptions& server, const Place& place) {
  if (!options.own_certificate) return;
  fmt::print("mirrorfs-agent {} protocol {}\n{}", MIRRORFS_VERSION, kProtocolVersion, server.tls_certificate);
  if (place.facts.socket) fmt::print("facts {}\n", place.facts.endpoint);
  std::fflush(stdout);
}

int Serve(const AgentOptions& options, const Target& target, Place place, AgentServerOptions server_options,
          const sigset_t& signals) {
  SayWhoWeAre(options, server_options, place);
  std::unique_ptr<FactsServer> facts;
  if (place.facts.socket) {
    auto started = FactsServer::Start(std::move(place.facts.socket), server_options, std::move(place.facts_text));
    if (!started.ok()) return Fail(AgentExit::kFailed, started.status());
    facts = *std::move(started);
  }
  Listener& listener = place.files;
  auto server = AgentServer::Start(target, std::move(server_options), std::move(listener.socket));
  if (!server.ok()) return Fail(AgentExit::kFailed, server.status());
  Tell(options.ready_fd, fmt::format("ready {}\n", listener.endpoint));
  if (options.verbose) Say(fmt::format("serves {} at {}", target.Description(), listener.endpoint));
  ServeUntilOver(**server, target, options, signals);
  if (!listener.socket_path.empty()) unlink(listener.socket_path.c_str());
  place.directory.reset();
  EndSoon();
  server->reset();
  return static_cast<int>(AgentExit::kOk);
}

int Health(const std::string& where) {
  const absl::Status healthy = CheckHealth(where);
  return healthy.ok() ? static_cast<int>(AgentExit::kOk) : Fail(AgentExit::kFailed, healthy);
}

int RunRelayCommand(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc != 3) return Fail(AgentExit::kUsage, absl::InvalidArgumentError("relay: the socket is missing"));
  return Fail(AgentExit::kUnreachable, RunRelay(argv[2]));
}

int RunSharedCommand(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  const absl::StatusOr<SharedOptions> options = ParseSharedOptions(argc - 1, argv + 1);
  if (!options.ok()) return Fail(AgentExit::kUsage, options.status());
  if (options->help) return std::fputs(SharedHelp().c_str(), stdout) < 0;
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  RaiseDescriptorLimit();
  const absl::Status ended = options->check.empty() ? RunShared(*options) : CheckShared(*options);
  return ended.ok() ? static_cast<int>(AgentExit::kOk) : Fail(ExitOfListen(ended), ended);
}

// Of a command line that cannot be used otherwise.
void RemoveOwnDirectory(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string_view(argv[i]) == "--remove-directory")
      (void)OwnDirectory::Take(argv[i + 1]);  // gone with the result
  }
}

// A line for each runtime: "docker answers /run/docker.sock", or "docker refuses" or "docker silent" and why.
int SayRuntimeSockets() {
  for (const Runtime runtime : kAllRuntimes) {
    const auto sockets = AnsweringSocketsOf(runtime, "");
    const char* how = sockets.ok() ? "answers" : absl::IsPermissionDenied(sockets.status()) ? "refuses" : "silent";
    fmt::print("{} {} {}\n", ToWord(runtime), how,
               sockets.ok() ? sockets->front() : std::string(sockets.status().message()));
  }
  return static_cast<int>(AgentExit::kOk);
}

int Run(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "health") return Health(argv[2]);
  const pid_t parent = getppid();
  if (argc > 1 && std::string_view(argv[1]) == "relay") return RunRelayCommand(argc, argv);
  if (argc > 1 && std::string_view(argv[1]) == "shared") return RunSharedCommand(argc, argv);
  absl::StatusOr<AgentOptions> options = ParseAgentOptions(argc, argv);
  if (!options.ok()) {
    RemoveOwnDirectory(argc, argv);
    return Fail(AgentExit::kUsage, options.status());
  }
  if (options->help) return std::fputs(AgentHelp().c_str(), stdout) < 0;
  if (options->version) return std::puts("mirrorfs-agent " MIRRORFS_VERSION) < 0;
  if (options->runtime_sockets) return SayRuntimeSockets();
  if (options->exit_with_parent && !EndWithParent(parent)) return static_cast<int>(AgentExit::kOk);
  // gRPC's locks are abseil's, which look for cycles in each order of locking unless told not to.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const sigset_t signals = BlockSignals();
  LimitHeaps();
  RaiseDescriptorLimit();
  Place place;
  if (!options->own_directory.empty()) {
    absl::StatusOr<OwnDirectory> taken = OwnDirectory::Take(options->own_directory);
    if (!taken.ok()) return Fail(AgentExit::kUsage, taken.status());
    place.directory.emplace(*std::move(taken));
  }

  AgentServerOptions server_options = ServerOptionsOf(*options);
  if (const absl::Status read = ReadSecrets(*options, server_options); !read.ok()) return Fail(AgentExit::kUsage, read);
  auto target = Target::Resolve({.target = options->target,
                                 .runtime_socket = options->runtime_socket,
                                 .pid_from_cgroup = options->pid_from_cgroup});
  if (!target.ok()) return Fail(ExitOfTarget(target.status()), target.status());
  if ((*target)->WithOwnRights()) server_options.allow_caller = server_options.allow_fixed = false;
  if (const absl::Status root = CheckRoot(**target); !root.ok()) return Fail(ExitOfTarget(root), root);
  if (const auto told = TellProcessFacts(*options, **target); !told.ok()) return Fail(ExitOfTarget(told), told);
  if (!options->facts_listen.empty()) {
    auto text = FactsText(**target);
    if (!text.ok()) return Fail(ExitOfTarget(text.status()), text.status());
    place.facts_text = *std::move(text);
  }
  if (const absl::Status listens = Listen(*options, server_options, place); !listens.ok()) {
    return Fail(ExitOfListen(listens), listens);
  }
  const absl::Status dropped = DropPrivileges(
      {.read_write = options->read_write, .devices = options->devices, .own_rights = (*target)->WithOwnRights()});
  if (!dropped.ok()) return Fail(AgentExit::kFailed, dropped);
  return Serve(*options, **target, std::move(place), std::move(server_options), signals);
}

}  // namespace
}  // namespace mirrorfs

int main(int argc, char** argv) { return mirrorfs::Run(argc, argv); }
