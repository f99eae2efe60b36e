// A plan for a target in a cluster, before anything is started for it: which container, and how it has an agent.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_SETTLE_TARGET_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_SETTLE_TARGET_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/agentmodes/agent_pod_spec.h"
#include "launcher/plan/mount_plan.h"

namespace mirrorfs {

// Before anything is started for it: what the plan names becomes one container of one pod, and its agent's mode one
// that the cluster permits, so that whatever is started later, and again, is about the same. One line is said about
// each on stderr. Does nothing for other targets.
absl::Status SettleTarget(MountPlan& plan);

// What an agent for that container is to do. Its name and the proofs of who talks to it are for whoever starts it.
AgentPodTask TaskOf(const MountPlan& plan, PodTarget target);

// The same with keys that are forgotten at once, for an agent that nobody will talk to: to have the cluster try it.
absl::StatusOr<AgentPodTask> TaskForShow(const MountPlan& plan, PodTarget target);

// As SettleTarget, and gives as JSON what would then be made in the cluster. The keys for it are forgotten: it shows
// what there would be, and serves nobody. Fails with kUsage if nothing would be made there.
absl::StatusOr<std::string> ManifestFor(MountPlan plan);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_SETTLE_TARGET_H_
