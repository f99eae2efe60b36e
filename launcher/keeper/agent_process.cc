#include "launcher/keeper/agent_process.h"

#include <vector>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/keeper/hand_over.h"
#include "launcher/plan/child_commands.h"
#include "launcher/system/child_process.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Runtimes under load answer late, but not later than this.
constexpr absl::Duration kHostLimit = absl::Seconds(30);
// The agent has to be copied, over whatever line; the tunnel itself gives up when nothing moves.
constexpr absl::Duration kTunnelLimit = absl::Minutes(10);

}  // namespace

absl::StatusOr<pid_t> StartAgentProcess(const MountPlan& plan, const AgentProcessOptions& options) {
  std::vector<int> descriptors = {options.ready};
  const bool tunnel = IsRemote(plan.agent_mode);
  ASSIGN_OR_RETURN(const UniqueFd plan_file, BytesAsFile(Serialize(plan)));
  if (tunnel) descriptors.push_back(plan_file.get());
  const int facts_fd = options.facts < 0 ? -1 : kFirstChildDescriptor + static_cast<int>(descriptors.size());
  if (options.facts >= 0) descriptors.push_back(options.facts);
  if (!tunnel) {
    return StartChild({.program = plan.agent_path,
                       .command = AgentCommand(plan, options.socket, kFirstChildDescriptor, facts_fd),
                       .output = options.output,
                       .descriptors = descriptors});
  }
  return StartChild(
      {.program = "/proc/self/exe",  // also when the file has been replaced meanwhile
       .command = TunnelCommand(
           plan, options.socket,
           {.ready_fd = kFirstChildDescriptor, .plan_fd = kFirstChildDescriptor + 1, .facts_fd = facts_fd},
           {.expected = options.expected_container, .left = options.left_container}),
       .output = options.output,
       .descriptors = descriptors});
}

std::string AgentProcessName(AgentMode mode) { return IsRemote(mode) ? "mirrorfs" : "mirrorfs-agent"; }

absl::Duration AgentStartLimit(AgentMode mode) { return IsRemote(mode) ? kTunnelLimit : kHostLimit; }

bool MayTryExec(const MountPlan& plan, const absl::Status& why) {
  const bool forbidden = ExitCodeOf(why) == ExitCode::kNotPermitted;
  if (plan.agent_mode == AgentMode::kHostOrExec) return forbidden;
  return plan.exec_is_next && plan.agent_mode != AgentMode::kExec &&
         (forbidden || ExitCodeOf(why) == ExitCode::kUnreachable);
}

absl::Status NeitherWay(const absl::Status& first, const absl::Status& in_container) {
  return Failure(ExitCodeOf(in_container), fmt::format("{} Nor can the agent run in the container: {}",
                                                       MessageOf(first), MessageOf(in_container)));
}

}  // namespace mirrorfs
