// What the user has named in a cluster: a pod, or what has pods, or a node; and the container in it.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_WORKLOAD_TARGET_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_WORKLOAD_TARGET_H_

#include <array>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace mirrorfs {

// A kind of object that can be named, with the words for it.
struct WorkloadKind {
  std::string_view name;                    // "deployment"
  std::string_view resource;                // as kubectl takes it without doubt: "deployments.apps"
  std::array<std::string_view, 2> aliases;  // "deployments", "deploy"
};

// All of them, pods first.
absl::Span<const WorkloadKind> WorkloadKinds();

// By name or alias; nullptr if there is none.
const WorkloadKind* FindWorkloadKind(std::string_view word);

struct WorkloadTarget {
  std::string kind;       // "pod", "deployment", "statefulset", ..., "node"; empty: no target in a cluster
  std::string name;       // empty if `selector` says which
  std::string selector;   // of labels, as kubectl's -l
  std::string container;  // empty: the pod's default one

  bool operator==(const WorkloadTarget&) const = default;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_WORKLOAD_TARGET_H_
