// A plan for a target in a cluster, before anything is started: the cluster is settled, the container is found.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_CLUSTER_LOOKUP_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_CLUSTER_LOOKUP_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/kubernetes/pod_target.h"
#include "launcher/plan/mount_plan.h"

namespace mirrorfs {

// Finds kubectl, and writes down which context and namespace it uses, as far as `access` does not say: somebody may
// choose another context while a mount lives. Inside of a pod, where there is no kubeconfig, they stay empty.
absl::Status SettleAccess(ClusterAccess& access);

// For a target in a cluster: settles its access, says so in the plan's target, and finds the container, of which one
// line is said on stderr.
absl::StatusOr<PodTarget> FindInCluster(MountPlan& plan);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_CLUSTER_LOOKUP_H_
