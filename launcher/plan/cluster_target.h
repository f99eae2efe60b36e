// A target in a Kubernetes cluster, in words: pod/web-0 -n shop --context prod.
#ifndef MIRRORFS_LAUNCHER_PLAN_CLUSTER_TARGET_H_
#define MIRRORFS_LAUNCHER_PLAN_CLUSTER_TARGET_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/kubernetes/cluster_access.h"
#include "launcher/kubernetes/workload_target.h"

namespace mirrorfs {

struct ClusterTarget {
  WorkloadTarget workload;
  ClusterAccess access;

  bool operator==(const ClusterTarget&) const = default;
};

// What the options of mount, exec and so on say about a target in a cluster. Empty: not given.
struct ClusterFlags {
  std::string container;                        // -c, --container
  std::string selector;                         // -l, --selector
  std::string name_space;                       // -n, --namespace
  std::string context;                          // --context
  std::string kubeconfig;                       // --kubeconfig
  std::string impersonate;                      // --kube-as
  std::vector<std::string> impersonate_groups;  // --kube-as-group

  bool operator==(const ClusterFlags&) const = default;
};

// Whether the text begins as such a target does. What follows may be wrong.
bool IsClusterTarget(std::string_view text);

// TYPE/NAME, TYPE/NAME/container/CONTAINER or "pod" (with -l), then the options of ClusterFlags as words; a word with
// spaces is in single quotes. Paths are made absolute. Fails with kUsage.
absl::StatusOr<ClusterTarget> ParseClusterTarget(std::string_view text, std::string_view working_directory);

// The reverse, with everything that the target says. kubectl's path is no part of it.
std::string ClusterTargetText(const ClusterTarget& target);

// What the options say takes the place of what the target's own words do; a container may be named once only.
absl::Status ApplyClusterFlags(const ClusterFlags& flags, std::string_view working_directory, ClusterTarget& target);

// How the cluster is called that they name.
absl::StatusOr<ClusterAccess> AccessOf(const ClusterFlags& flags, std::string_view working_directory);

// "--namespace", if that is the first of the options that was given; empty: none was.
std::string FirstGiven(const ClusterFlags& flags);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_CLUSTER_TARGET_H_
