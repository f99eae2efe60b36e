#include "launcher/doctor/target_checks.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "fmt/format.h"
#include "launcher/agentmodes/mode_choice.h"
#include "launcher/agentmodes/rights.h"
#include "launcher/agentmodes/settle_target.h"
#include "launcher/kubernetes/cluster_lookup.h"
#include "launcher/kubernetes/json_path.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/kubernetes/kubectl_errors.h"
#include "launcher/layers/layer_tool.h"
#include "launcher/plan/child_commands.h"
#include "launcher/tunnel/kubectl_runner.h"
#include "launcher/tunnel/placed_agent.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using Words = std::vector<std::string>;

constexpr absl::Duration kVersionLimit = absl::Seconds(15);
constexpr Right kGetPods = {.verb = "get", .resource = "pods"};
constexpr Right kListPods = {.verb = "list", .resource = "pods"};

absl::StatusOr<std::string> AskJson(const Kubectl& kubectl, const Words& words,
                                    std::initializer_list<std::string_view> path) {
  ASSIGN_OR_RETURN(const std::string text, kubectl.Run(words, "", kVersionLimit));
  ASSIGN_OR_RETURN(const nlohmann::json json, ParseKubectlJson(text, words.front()));
  return TextAt(json, path);
}

absl::StatusOr<std::string> KubectlVersion(const Kubectl& kubectl) {
  ASSIGN_OR_RETURN(std::string version,
                   AskJson(kubectl, {"version", "--client", "-o", "json"}, {"clientVersion", "gitVersion"}));
  RETURN_IF_ERROR(CheckKubectlVersion(kubectl, version));
  return version;
}

absl::StatusOr<std::string> ServerVersion(ClusterAccess& access) {
  RETURN_IF_ERROR(SettleAccess(access));
  return AskJson(Kubectl(access), {"version", "-o", "json"}, {"serverVersion", "gitVersion"});
}

Check CheckIdentity(const Kubectl& kubectl) {
  const auto name = AskJson(kubectl, {"auth", "whoami", "-o", "json"}, {"status", "userInfo", "username"});
  return Judge("identity", name.status(), name.ok() ? fmt::format("the cluster knows you as {}", *name) : "",
               CheckResult::kWarning);
}

// "get" is what a pod's name takes, "list" everything else: whether a target works without one of them is its own
// check.
Check CheckPods(const Kubectl& kubectl) {
  std::string missing;
  for (const Right& right : {kGetPods, kListPods}) {
    if (!Can(kubectl, right)) missing += (missing.empty() ? "" : " and ") + ToText(right);
  }
  if (missing.empty())
    return Judge("pods", absl::OkStatus(), fmt::format("you may get and list them {}", kubectl.WhereText()));
  return Judge("pods",
               Failure(ExitCode::kNotPermitted,
                       fmt::format("you may not {} {}. docs/roles has what mounts need; try another namespace (-n).",
                                   missing, kubectl.WhereText())),
               "", CheckResult::kWarning);
}

absl::StatusOr<std::string> TryPlace(const MountPlan& plan) {
  return PlacedAgent::TryPlace(std::make_unique<KubectlRunner>(plan.cluster, plan.workload),
                               {.target = plan.target,
                                .agent_path = plan.agent_path,
                                .agent_arguments = AgentModeArguments(plan),
                                .expected_container = {}});
}

// What one mode comes to. OK: the text says what is fine.
absl::StatusOr<std::string> TryMode(const MountPlan& plan, AgentMode mode, const AgentPodTask& task) {
  RETURN_IF_ERROR(MayUseMode(Kubectl(plan.cluster), mode, plan.agent_pod, task));
  if (mode == AgentMode::kShared) return std::string("installed and permitted");
  if (mode != AgentMode::kExec) {
    if (plan.agent_pod.image_is_named) return std::string("permitted");
    return Failure(ExitCode::kUnreachable, "permitted, but no image of the agent is named: --agent-image NAME@DIGEST.");
  }
  ASSIGN_OR_RETURN(const std::string directory, TryPlace(plan));
  return fmt::format("permitted; the image has a shell, and the agent can be put into {}",
                     directory.substr(0, directory.rfind('/')));
}

Check CheckImage(const AgentPodSpec& spec) {
  if (spec.image_is_named) {
    return Judge("agent's image", absl::OkStatus(),
                 fmt::format("{} (whether the node can have it shows when its pod starts)", spec.image));
  }
  return Judge(
      "agent's image",
      Failure(ExitCode::kUnreachable,
              "none is named, so auto means exec. --agent-image NAME@DIGEST or MIRRORFS_AGENT_IMAGE names one."),
      "", CheckResult::kWarning);
}

// `others`: what came out for each mode.
Check CheckChoice(const MountPlan& plan, const AgentPodTask& task,
                  const std::vector<std::pair<AgentMode, absl::Status>>& tried) {
  AgentMode mode = plan.agent_mode;
  std::string said = fmt::format("{}, as you say", ToWord(mode));
  if (mode == AgentMode::kOfCluster) {
    const auto choice = ChooseMode(Kubectl(plan.cluster), plan.agent_pod, task);
    if (!choice.ok()) return Judge("agent", choice.status(), "");
    mode = choice->mode;
    said = choice->said;
  }
  for (const auto& [each, status] : tried) {
    if (each == mode && !status.ok()) {
      return Judge("agent", Failure(ExitCodeOf(status), fmt::format("agent mode {}; but: {}", said, MessageOf(status))),
                   "");
    }
  }
  return Judge("agent", CheckIdentityOf(mode, plan.identity), "agent mode " + said);
}

}  // namespace

bool CheckCluster(ClusterAccess& access, bool needed, const CheckReport& report) {
  const CheckResult otherwise = needed ? CheckResult::kFailed : CheckResult::kWarning;
  const auto program = FindKubectl();
  if (!program.ok()) {
    report(Judge("kubectl", program.status(), "", otherwise));
    return false;
  }
  access.kubectl = *program;
  const auto client = KubectlVersion(Kubectl(access));
  report(
      Judge("kubectl", client.status(), client.ok() ? fmt::format("{} {}", access.kubectl, *client) : "", otherwise));
  if (!client.ok()) return false;
  const auto server = ServerVersion(access);
  const Kubectl kubectl(access);
  report(Judge("cluster", server.status(),
               server.ok() ? fmt::format("Kubernetes {} answers ({}context {})", *server,
                                         access.name_space.empty() ? "" : "namespace " + access.name_space + ", ",
                                         access.context.empty() ? "of this pod" : access.context)
                           : "",
               otherwise));
  if (!server.ok()) return false;
  report(CheckIdentity(kubectl));
  report(CheckPods(kubectl));
  return true;
}

void CheckClusterTarget(const MountPlan& given, const CheckReport& report) {
  MountPlan plan = given;
  auto target = ResolvePod(Kubectl(plan.cluster), plan.workload);
  report(Judge("target", target.status(), target.ok() ? target->said : ""));
  if (!target.ok()) return;
  const bool is_node = target->pod.empty();
  if (!is_node) {
    plan.workload = {.kind = "pod", .name = target->pod, .selector = {}, .container = target->container};
    plan.cluster.name_space = target->name_space;
  }
  const auto task = TaskForShow(plan, *target);
  if (!task.ok()) return report(Judge("agent", task.status(), ""));
  report(CheckImage(plan.agent_pod));
  std::vector<AgentMode> modes = {AgentMode::kJob};
  if (!is_node) modes = {AgentMode::kShared, AgentMode::kJob, AgentMode::kEphemeral, AgentMode::kExec};
  std::vector<std::pair<AgentMode, absl::Status>> tried;
  for (const AgentMode mode : modes) {
    const auto fine = TryMode(plan, mode, *task);
    report(
        Judge(fmt::format("--agent {}", ToWord(mode)), fine.status(), fine.ok() ? *fine : "", CheckResult::kWarning));
    tried.emplace_back(mode, fine.status());
  }
  report(CheckChoice(plan, *task, tried));
}

void CheckOtherTarget(const MountPlan& plan, const Invoker& invoker, const CheckReport& report) {
  const absl::Status found = RunLayerTool(
      {.plan = plan, .layer_directory = {}, .words = {"--transfer", "find", "--remote-path", "/"}, .output = -1},
      invoker, [](const nlohmann::json&) {});
  report(Judge("target", found, fmt::format("{}: an agent serves it", plan.target)));
}

}  // namespace mirrorfs
