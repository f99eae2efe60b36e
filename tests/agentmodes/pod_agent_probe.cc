// Serves an agent in a cluster at a unix socket, as the tunnel does, and says on stdout what happens:
//   pod_agent_probe MODE NAMESPACE POD SOCKET TOKEN-FILE [--agent-FLAG...]
// MODE: job, ephemeral. `facts` lines, "ready", then "lost" with the state of the container. Ends on SIGTERM, or when
// stdin ends.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "boost/program_options.hpp"
#include "fmt/format.h"
#include "launcher/agentmodes/agent_pod_settings.h"
#include "launcher/agentmodes/pod_agent.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/pod_target.h"

namespace mirrorfs {
namespace {

int Fail(const absl::Status& status) {
  fmt::print("failed {}: {}\n", static_cast<int>(ExitCodeOf(status)), MessageOf(status));
  return static_cast<int>(ExitCodeOf(status));
}

void Say(std::string_view text) {
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

UniqueFd ListenAt(const char* path) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  ::unlink(path);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return UniqueFd();
  ::listen(socket.get(), 128);
  return socket;
}

absl::StatusOr<PodAgentOptions> OptionsOf(const std::vector<std::string>& words, const PodTarget& target) {
  namespace po = boost::program_options;
  PodAgentOptions options;
  AgentPodWords given;
  po::options_description description;
  AddAgentPodFlags(description, given);
  description.add_options()("rw", po::bool_switch(&options.task.read_write));
  description.add_options()("runtime-socket", po::value(&options.spec.runtime_socket));
  po::variables_map values;
  po::store(po::command_line_parser(words).options(description).run(), values);
  po::notify(values);
  if (const absl::Status applied = ApplyAgentPodWords(given, "--agent-", options.spec); !applied.ok()) return applied;
  options.task.target = target;
  options.task.identities = "container,caller";
  options.own_version = MIRRORFS_VERSION;
  options.asks_for_facts = true;
  options.progress = [](std::string_view step, std::string_view detail) { Say(fmt::format("{} {}", step, detail)); };
  return options;
}

int Run(int argc, char** argv) {
  const auto kubectl_path = FindKubectl();
  if (!kubectl_path.ok()) return Fail(kubectl_path.status());
  const Kubectl kubectl({.kubectl = *kubectl_path, .name_space = argv[2]});
  const auto target = ResolvePod(kubectl, {.kind = "pod", .name = argv[3]});
  if (!target.ok()) return Fail(target.status());
  auto options = OptionsOf({argv + 6, argv + argc}, *target);
  if (!options.ok()) return Fail(options.status());
  const auto token = MakeToken();
  if (!token.ok()) return 2;
  options->mode = argv[1] == std::string_view("job") ? AgentMode::kJob : AgentMode::kEphemeral;
  options->token = *token;
  std::ofstream(argv[5]) << *token << "\n";
  EventLoop loop;
  const auto agent = PodAgent::Start(loop, kubectl, *std::move(options));
  if (!agent.ok()) return Fail(agent.status());
  const UniqueFd listener = ListenAt(argv[4]);
  loop.Watch(listener.get(), POLLIN, [&] {
    (void)(*agent)->Streams().Carry(UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  });
  loop.Watch(STDIN_FILENO, POLLIN, [&] { loop.Stop(); });
  (*agent)->Watch([&] {
    Say(fmt::format("lost: {}", (*agent)->CheckContainer().ok() ? "the container is there" : "the container is gone"));
  });
  Say(fmt::format("facts {} bytes", (*agent)->Facts().size()));
  Say("ready");
  loop.Run();
  return 0;
}

}  // namespace
}  // namespace mirrorfs

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  return argc < 6 ? 2 : mirrorfs::Run(argc, argv);
}
