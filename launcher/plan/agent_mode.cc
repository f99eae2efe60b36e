#include "launcher/plan/agent_mode.h"

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {

bool IsRemote(AgentMode mode) { return mode == AgentMode::kExec || mode == AgentMode::kShared || HasPod(mode); }

bool HasPod(AgentMode mode) { return mode == AgentMode::kJob || mode == AgentMode::kEphemeral; }

const char* ToWord(AgentMode mode) {
  switch (mode) {
    case AgentMode::kJob:
      return "job";
    case AgentMode::kEphemeral:
      return "ephemeral";
    case AgentMode::kShared:
      return "shared";
    case AgentMode::kExec:
      return "exec";
    default:
      return "auto";
  }
}

absl::StatusOr<AgentMode> ChooseAgentMode(const std::string& word, const TargetSpec& target, const Invoker& invoker) {
  const bool in_cluster = target.kind == TargetKind::kCluster;
  const bool runs_programs = in_cluster || target.kind == TargetKind::kDocker || target.kind == TargetKind::kPodman;
  if (word == "exec" && runs_programs) return AgentMode::kExec;
  if (word == "job" && in_cluster) return AgentMode::kJob;
  if (word == "ephemeral" && in_cluster) return AgentMode::kEphemeral;
  if (word == "shared" && in_cluster) return AgentMode::kShared;
  if (word.empty() || word == "auto") {
    if (in_cluster) return AgentMode::kOfCluster;
    return runs_programs && !invoker.IsRoot() ? AgentMode::kHostOrExec : AgentMode::kHost;
  }
  if (word.find('/') != word.npos) {
    return Failure(ExitCode::kUsage,
                   fmt::format("--agent {0}: write auto, job, ephemeral, shared or exec. The program is named "
                               "by --agent-program {0}.",
                               word));
  }
  if (word == "job" || word == "ephemeral" || word == "shared") {
    return Failure(ExitCode::kUsage,
                   fmt::format("--agent {} goes with targets in a cluster only, such as pod/NAME; the target is {}.",
                               word, target.text));
  }
  if (word != "exec") {
    return Failure(ExitCode::kUsage, fmt::format("--agent {}: write auto, job, ephemeral, shared or exec.", word));
  }
  return Failure(ExitCode::kUsage, fmt::format("--agent exec goes with docker/NAME, podman/NAME and targets in a "
                                               "cluster: {} is reached without running anything in it.",
                                               target.text));
}

}  // namespace mirrorfs
