// The container that a target in a cluster comes down to.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_POD_TARGET_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_POD_TARGET_H_

#include <string>

#include "absl/status/statusor.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/kubernetes/workload_target.h"

namespace mirrorfs {

// Of a node itself only `node`, `architecture`, `operating_system` and `said` are known: its root is process 1's.
struct PodTarget {
  std::string name_space;
  std::string pod;
  std::string uid;
  std::string container;
  std::string container_id;  // "containerd://4f2a..."
  std::string image;         // as the pod asks for it
  std::string node;
  std::string architecture;      // of the node, as Kubernetes says it: "amd64"; empty if nodes may not be looked at
  std::string operating_system;  // "linux", likewise
  int restart_count = 0;
  bool share_process_namespace = false;
  bool host_pid = false;
  std::string said;  // "pod/web-7c9 (ready, 1 of 3 of deployment/web), container app": for one line to the user

  bool operator==(const PodTarget&) const = default;
};

// A running container: of a workload's pods the newest ready one, by name if several are as new; one that is not ready
// only if none is. The container is the one that is named, else the default one by annotation
// (kubectl.kubernetes.io/default-container), else the only one that is no known sidecar. Fails with kNoTarget if there
// is none, and says why and what to do; with what Kubectl::Run fails with.
absl::StatusOr<PodTarget> ResolvePod(const Kubectl& kubectl, const WorkloadTarget& target);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_POD_TARGET_H_
