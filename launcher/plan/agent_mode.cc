#include "launcher/plan/agent_mode.h"

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {

absl::StatusOr<AgentMode> ChooseAgentMode(const std::string& word, const TargetSpec& target, const Invoker& invoker) {
  const bool in_cluster = target.kind == TargetKind::kCluster;
  const bool runs_programs = in_cluster || target.kind == TargetKind::kDocker || target.kind == TargetKind::kPodman;
  if (word == "exec" && runs_programs) return AgentMode::kExec;
  if (word.empty() || word == "auto") {
    if (in_cluster) return AgentMode::kExec;
    return runs_programs && !invoker.IsRoot() ? AgentMode::kHostOrExec : AgentMode::kHost;
  }
  if (word.find('/') != word.npos) {
    return Failure(ExitCode::kUsage,
                   fmt::format("--agent {0}: write auto or exec. The program is named by --agent-program {0}.", word));
  }
  if (word != "exec") return Failure(ExitCode::kUsage, fmt::format("--agent {}: write auto or exec.", word));
  return Failure(ExitCode::kUsage, fmt::format("--agent exec goes with docker/NAME, podman/NAME and targets in a "
                                               "cluster: {} is reached without running anything in it.",
                                               target.text));
}

}  // namespace mirrorfs
