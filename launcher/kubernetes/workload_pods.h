// The pods of what the user has named.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_WORKLOAD_PODS_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_WORKLOAD_PODS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/kubernetes/pod.h"
#include "launcher/kubernetes/workload_target.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// In no order; at least one. A pod: itself. A cronjob: those of its jobs. A service: those that it selects. Otherwise
// those that the object controls. Fails with kNoTarget if there is no such object (naming one with a name like it), or
// it has no pods (saying why).
absl::StatusOr<std::vector<Pod>> PodsOf(const Kubectl& kubectl, const WorkloadTarget& target);

// The object itself; kNoTarget tells of a name like it, or that the namespace is missing.
absl::StatusOr<nlohmann::json> GetObject(const Kubectl& kubectl, const WorkloadKind& kind, const std::string& name);

// OK if the namespace is there, or nobody can tell; kNoTarget with a name like it.
absl::Status CheckNamespace(const Kubectl& kubectl);

// "app=web,tier in (a,b)", as kubectl's -l takes it, from a selector of the API.
std::string SelectorText(const nlohmann::json& selector);

// Whether a controller has made the pod, directly or (Deployment, Rollout) through a ReplicaSet of its version.
bool IsControlledBy(const Pod& pod, const WorkloadKind& kind, const nlohmann::json& controller);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_WORKLOAD_PODS_H_
