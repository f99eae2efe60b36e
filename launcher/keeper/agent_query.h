// One question to an agent that is started for it: what the target's process is like.
#ifndef MIRRORFS_LAUNCHER_KEEPER_AGENT_QUERY_H_
#define MIRRORFS_LAUNCHER_KEEPER_AGENT_QUERY_H_

#include "absl/status/statusor.h"
#include "launcher/plan/invoker.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/plan/process_facts.h"

namespace mirrorfs {

// Starts the plan's agent, listens to what it tells, ends it. Waits at most 30 s. Fails as starting a mount does when
// its agent cannot start: with the agent's own words and exit code. Interrupted, it clears away and fails with EndedBy.
absl::StatusOr<ProcessFacts> AskAgent(const MountPlan& plan, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_AGENT_QUERY_H_
