#include "launcher/agentmodes/settle_target.h"

#include <utility>

#include "fmt/format.h"
#include "launcher/agentmodes/agent_pod.h"
#include "launcher/agentmodes/manifests.h"
#include "launcher/agentmodes/mode_choice.h"
#include "launcher/failure.h"
#include "launcher/keeper/progress.h"
#include "launcher/kubernetes/cluster_lookup.h"
#include "launcher/plan/child_commands.h"
#include "protos/certificates/certificates.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

absl::Status ChooseAgent(MountPlan& plan, const PodTarget& target) {
  if (plan.agent_mode == AgentMode::kOfCluster) {
    ASSIGN_OR_RETURN(const AgentPodTask task, TaskForShow(plan, target));
    ASSIGN_OR_RETURN(const ModeChoice choice, ChooseMode(Kubectl(plan.cluster), plan.agent_pod, task));
    PrintProgress(plan.progress, kModeStep, choice.said);
    plan.agent_mode = choice.mode;
    plan.exec_is_next =
        choice.mode != AgentMode::kExec && !target.pod.empty() && CheckIdentityOf(AgentMode::kExec, plan.identity).ok();
  }
  if (target.pod.empty() && plan.agent_mode != AgentMode::kJob) {
    return Failure(ExitCode::kUsage, fmt::format("{}: a node itself is reached by --agent job only.", plan.target));
  }
  if (plan.agent_mode == AgentMode::kShared && plan.devices && plan.read_write) {
    return Failure(ExitCode::kNotPermitted, "--agent shared makes no device nodes (-o dev): use --agent job.");
  }
  return CheckIdentityOf(plan.agent_mode, plan.identity);
}

absl::StatusOr<PodTarget> Settle(MountPlan& plan) {
  ASSIGN_OR_RETURN(PodTarget target, FindInCluster(plan));
  if (!target.pod.empty()) {
    plan.workload = {.kind = "pod", .name = target.pod, .selector = {}, .container = target.container};
    plan.cluster.name_space = target.name_space;
  }
  RETURN_IF_ERROR(ChooseAgent(plan, target));
  return target;
}

}  // namespace

AgentPodTask TaskOf(const MountPlan& plan, PodTarget target) {
  if (target.name_space.empty()) target.name_space = plan.cluster.name_space;  // a node has none
  return {.target = std::move(target),
          .name = {},
          .client_ca = {},
          .token_sha256 = {},
          .identities = AgentIdentities(plan),
          .read_write = plan.read_write,
          .devices = plan.devices && plan.read_write,
          .verbose = plan.verbose};
}

absl::StatusOr<AgentPodTask> TaskForShow(const MountPlan& plan, PodTarget target) {
  AgentPodTask task = TaskOf(plan, std::move(target));
  ASSIGN_OR_RETURN(const KeyAndCertificate authority, MakeAuthority("mirrorfs mount"));
  ASSIGN_OR_RETURN(const std::string token, MakeToken());
  task.name = NewAgentName();
  task.client_ca = authority.certificate;
  task.token_sha256 = Sha256Hex(token);
  return task;
}

absl::Status SettleTarget(MountPlan& plan) { return plan.IsInCluster() ? Settle(plan).status() : absl::OkStatus(); }

absl::StatusOr<std::string> ManifestFor(MountPlan plan) {
  if (!plan.IsInCluster()) {
    return Failure(ExitCode::kUsage, fmt::format("{} is not in a cluster: there is no manifest.", plan.target));
  }
  ASSIGN_OR_RETURN(PodTarget target, Settle(plan));
  ASSIGN_OR_RETURN(const AgentPodTask task, TaskForShow(plan, std::move(target)));
  if (plan.agent_mode == AgentMode::kJob) return JobManifest(plan.agent_pod, task).dump(2);
  if (plan.agent_mode == AgentMode::kEphemeral) return EphemeralContainer(plan.agent_pod, task).dump(2);
  return Failure(ExitCode::kUsage, fmt::format("--agent {} makes nothing in the cluster: there is no manifest.",
                                               ToWord(plan.agent_mode)));
}

}  // namespace mirrorfs
