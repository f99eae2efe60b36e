// Starting what serves the container's files: the agent, or a tunnel to one.
#ifndef MIRRORFS_LAUNCHER_KEEPER_AGENT_PROCESS_H_
#define MIRRORFS_LAUNCHER_KEEPER_AGENT_PROCESS_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "launcher/plan/mount_plan.h"

namespace mirrorfs {

struct AgentProcessOptions {
  std::string socket;
  int output = -1;                 // becomes stdout and stderr
  int ready = -1;                  // where it says "ready ...", "target gone"; a tunnel also "container TEXT"
  int facts = -1;                  // where it tells what the target's process is like; -1: nowhere
  std::string expected_container;  // for a tunnel: what an earlier one has said
  std::string left_container;      // likewise, of a container that has ended: another one has to be found
};

// The caller reaps it. `plan.agent_mode` says which: kHostOrExec is kHost here.
absl::StatusOr<pid_t> StartAgentProcess(const MountPlan& plan, const AgentProcessOptions& options);

// How it calls itself before what it says.
std::string AgentProcessName(AgentMode mode);
// How long it may take until it is ready.
absl::Duration AgentStartLimit(AgentMode mode);
// Whether, having failed to start with this status, it is worth trying the agent in the container.
bool MayTryExec(const MountPlan& plan, const absl::Status& why);
// When that has failed, too: both reasons in one.
absl::Status NeitherWay(const absl::Status& first, const absl::Status& in_container);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_AGENT_PROCESS_H_
