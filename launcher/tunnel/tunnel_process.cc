#include "launcher/tunnel/tunnel_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "boost/program_options.hpp"
#include "fmt/format.h"
#include "launcher/agentmodes/agent_image.h"
#include "launcher/agentmodes/agent_patience.h"
#include "launcher/agentmodes/pod_agent.h"
#include "launcher/agentmodes/settle_target.h"
#include "launcher/agentmodes/shared_agent.h"
#include "launcher/agentmodes/token_file.h"
#include "launcher/failure.h"
#include "launcher/keeper/ending_signals.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/keeper/hand_over.h"
#include "launcher/kubernetes/container_name.h"
#include "launcher/plan/child_commands.h"
#include "launcher/plan/command_line.h"
#include "launcher/printable.h"
#include "launcher/system/exec_words.h"
#include "launcher/tunnel/docker_runner.h"
#include "launcher/tunnel/kubectl_runner.h"
#include "launcher/tunnel/not_replaced.h"
#include "launcher/tunnel/placed_agent.h"
#include "launcher/tunnel/tunnel_server.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

struct TunnelOptions {
  std::string target;
  std::string socket;
  std::string expected_container;
  std::string left_container;
  int ready_fd = -1;
  int plan_fd = -1;
  int facts_fd = -1;
  MountPlan plan;
};

absl::StatusOr<TunnelOptions> ParseOptions(absl::Span<const std::string> words) {
  TunnelOptions options;
  po::options_description description;
  auto add = description.add_options();
  add("target", po::value(&options.target));
  add("listen", po::value(&options.socket));
  add("expect-container", po::value(&options.expected_container));
  add("left-container", po::value(&options.left_container));
  add("ready-fd", po::value(&options.ready_fd));
  add("plan-fd", po::value(&options.plan_fd));
  add("process-facts-fd", po::value(&options.facts_fd));
  RETURN_IF_ERROR(ParseCommandLine(kTunnelName, words, description, {}));
  for (const int fd : {options.ready_fd, options.plan_fd}) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return Failure(ExitCode::kUsage, fmt::format("{} is started by a keeper only.", kTunnelName));
    }
  }
  if (options.facts_fd >= 0) ::fcntl(options.facts_fd, F_SETFD, FD_CLOEXEC);
  ASSIGN_OR_RETURN(options.plan, ParseMountPlan(BytesOfFile(UniqueFd(options.plan_fd))));
  return options;
}

// False if it is gone already.
bool EndWithParent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  return ::getppid() == parent;
}

absl::StatusOr<std::unique_ptr<ContainerRunner>> MakeRunner(const MountPlan& plan) {
  if (plan.IsInCluster()) return std::make_unique<KubectlRunner>(plan.cluster, plan.workload);
  return DockerRunner::Create(plan.target, plan.runtime_socket);
}

// Whoever asked has gone if this fails, and finds out by himself.
void Tell(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count <= 0) return;
    done += static_cast<size_t>(count);
  }
}

void TellProgress(const TunnelOptions& options, std::string_view step, std::string_view detail) {
  Tell(options.ready_fd, fmt::format("progress {} {}\n", step, Printable(std::string(detail))));
}

absl::StatusOr<std::unique_ptr<RemoteAgent>> StartPlacedAgent(EventLoop& loop, const TunnelOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<ContainerRunner> runner, MakeRunner(options.plan));
  std::vector<std::string> arguments = AgentModeArguments(options.plan);
  const std::vector<std::string> patience = PatienceArguments(PatienceOf(options.plan.agent_pod.ttl));
  arguments.insert(arguments.end(), patience.begin(), patience.end());
  return PlacedAgent::Start(loop, std::move(runner),
                            {.target = options.plan.target,
                             .agent_path = options.plan.agent_path,
                             .agent_arguments = std::move(arguments),
                             .asks_for_facts = options.facts_fd >= 0,
                             .expected_container = options.expected_container,
                             .left_container = options.left_container,
                             .progress = [&options](std::string_view step, std::string_view detail) {
                               TellProgress(options, step, detail);
                             }});
}

// The container that an earlier tunnel has named, whatever else its workload has by now; never the one that has been
// left.
absl::StatusOr<PodTarget> FindTarget(const Kubectl& kubectl, const TunnelOptions& options) {
  const std::optional<NamedContainer> expected = ParseContainerName(options.expected_container);
  ASSIGN_OR_RETURN(PodTarget target, ResolvePod(kubectl, expected ? expected->workload : options.plan.workload));
  if (ContainerName(target) == options.left_container) return NotReplaced();
  return target;
}

absl::StatusOr<std::unique_ptr<RemoteAgent>> StartPodAgent(EventLoop& loop, const TunnelOptions& options,
                                                           EndingSignals& signals) {
  const MountPlan& plan = options.plan;
  const Kubectl kubectl(plan.cluster);
  ASSIGN_OR_RETURN(PodTarget target, FindTarget(kubectl, options));
  ASSIGN_OR_RETURN(std::string token, KeepToken(TunnelTokenFile(options.socket)));
  return PodAgent::Start(loop, kubectl,
                         {.mode = plan.agent_mode,
                          .spec = plan.agent_pod,
                          .task = TaskOf(plan, std::move(target)),
                          .token = std::move(token),
                          .own_version = OwnVersion(),
                          .asks_for_facts = options.facts_fd >= 0,
                          .expected_container = options.expected_container,
                          .given_up = [&signals] { return signals.Next().has_value(); },
                          .progress = [&options](std::string_view step,
                                                 std::string_view detail) { TellProgress(options, step, detail); }});
}

absl::StatusOr<std::unique_ptr<RemoteAgent>> StartSharedAgent(EventLoop& loop, const TunnelOptions& options) {
  const Kubectl kubectl(options.plan.cluster);
  ASSIGN_OR_RETURN(PodTarget target, FindTarget(kubectl, options));
  return SharedAgent::Start(loop, kubectl,
                            {.task = TaskOf(options.plan, std::move(target)),
                             .name_space = options.plan.agent_pod.name_space,
                             .asks_for_facts = options.facts_fd >= 0,
                             .expected_container = options.expected_container});
}

void TellOfAgent(const TunnelOptions& options, const RemoteAgent& agent) {
  if (options.facts_fd >= 0) {
    Tell(options.facts_fd, agent.Facts());
    ::close(options.facts_fd);  // its end is the end of the facts
  }
  if (const std::string pod = agent.Pod(); !pod.empty()) Tell(options.ready_fd, fmt::format("pod {}\n", pod));
  Tell(options.ready_fd, fmt::format("container {}\nready unix:{}\n", agent.Container(), options.socket));
}

// Until a signal comes, or the agent is lost: then why.
absl::Status Serve(EventLoop& loop, const TunnelOptions& options, RemoteAgent& agent, EndingSignals& signals) {
  ASSIGN_OR_RETURN(const std::unique_ptr<TunnelServer> server,
                   TunnelServer::Listen(loop, options.socket, agent.Streams()));
  bool lost = false;
  loop.Watch(signals.fd(), POLLIN, [&] {
    if (signals.Next()) loop.Stop();
  });
  agent.Watch([&] {
    lost = true;
    loop.Stop();
  });
  TellOfAgent(options, agent);
  loop.Run();
  loop.Unwatch(signals.fd());
  if (!lost) return absl::OkStatus();
  const absl::Status there = agent.CheckContainer();
  return there.ok() ? Failure(ExitCode::kUnreachable, "the agent has ended.") : there;
}

absl::Status StartAndServe(const TunnelOptions& options, bool& was_ready) {
  EventLoop loop;
  std::optional<EndingSignals> signals;  // until the agent has been cleared away
  std::unique_ptr<RemoteAgent> agent;
  if (HasPod(options.plan.agent_mode)) {
    signals.emplace();  // what is made in the cluster is removed first; and the agent's threads are to leave them alone
    ASSIGN_OR_RETURN(agent, StartPodAgent(loop, options, *signals));
  } else if (options.plan.agent_mode == AgentMode::kShared) {
    signals.emplace();  // likewise
    ASSIGN_OR_RETURN(agent, StartSharedAgent(loop, options));
  } else {
    ASSIGN_OR_RETURN(agent, StartPlacedAgent(loop, options));
    signals.emplace();
  }
  was_ready = true;
  return Serve(loop, options, *agent, *signals);
}

// Returns only if it cannot.
absl::Status BecomeAgentOfEnded(const TunnelOptions& options, const absl::Status& why) {
  fmt::print(stderr, "{}: {}\n", kTunnelName, MessageOf(why));
  std::fflush(stderr);
  Tell(options.ready_fd, "target gone\n");
  const std::vector<std::string> words = EndedAgentCommand(options.plan, options.socket);
  ::execv(options.plan.agent_path.c_str(), ExecPointers(words).data());
  return why;
}

}  // namespace

absl::Status RunTunnelProcess(absl::Span<const std::string> words) {
  const pid_t parent = ::getppid();
  ::prctl(PR_SET_NAME, kTunnelName);
  ::signal(SIGPIPE, SIG_IGN);
  ASSIGN_OR_RETURN(const TunnelOptions options, ParseOptions(words));
  if (!EndWithParent(parent)) return absl::OkStatus();
  bool was_ready = !options.expected_container.empty();
  const absl::Status status = StartAndServe(options, was_ready);
  if (was_ready && ExitCodeOf(status) == ExitCode::kNoTarget) return BecomeAgentOfEnded(options, status);
  return status;
}

}  // namespace mirrorfs
