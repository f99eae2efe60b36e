// Whether the container that an agent serves is still there.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_TARGET_STATE_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_TARGET_STATE_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/kubernetes/pod_target.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// kNoTarget.
absl::Status TargetHasEnded(const PodTarget& target);

// Of an agent that cannot be reached any more, by what the cluster says of the target's pod. OK if the very same
// container runs; kNoTarget if it has ended or was started anew, or its pod should have been deleted by now: of a node
// that is gone nobody hears that a container on it has ended.
absl::Status JudgeTarget(const nlohmann::json& object, const PodTarget& target, absl::Time now);

// Asks the cluster.
absl::Status CheckTarget(const Kubectl& kubectl, const PodTarget& target, absl::Duration limit);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_TARGET_STATE_H_
