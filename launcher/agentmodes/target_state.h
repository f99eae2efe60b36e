// Whether the container that an agent serves is still there.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_TARGET_STATE_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_TARGET_STATE_H_

#include "absl/status/status.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/kubernetes/pod_target.h"

namespace mirrorfs {

// kNoTarget.
absl::Status TargetHasEnded(const PodTarget& target);

// Asks the cluster. OK if the very same container runs; kNoTarget if it has ended or was started anew.
absl::Status CheckTarget(const Kubectl& kubectl, const PodTarget& target);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_TARGET_STATE_H_
