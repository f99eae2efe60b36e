// Why a pod's container cannot be mounted, and what to do.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_POD_TROUBLE_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_POD_TROUBLE_H_

#include <string>

#include "absl/status/status.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/kubernetes/pod.h"

namespace mirrorfs {

// OK if the container runs and the pod stays. Else kNoTarget. May ask for the pod's events.
absl::Status CheckRunning(const Kubectl& kubectl, const Pod& pod, const PodContainer& container);

// OK unless the pod as a whole has no running containers, or will have none soon, or runs on something other than
// Linux: whatever container is meant. Likewise.
absl::Status CheckPod(const Kubectl& kubectl, const Pod& pod);

// The newest warning about an object; empty if there is none, or they may not be read.
std::string LastWarning(const Kubectl& kubectl, const std::string& uid);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_POD_TROUBLE_H_
