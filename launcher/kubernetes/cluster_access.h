// How the user's kubectl is called: which program, which cluster, as whom.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_CLUSTER_ACCESS_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_CLUSTER_ACCESS_H_

#include <string>
#include <vector>

namespace mirrorfs {

// Empty: kubectl's own choice.
struct ClusterAccess {
  std::string kubectl;                          // path; found by FindKubectl()
  std::string kubeconfig;                       // --kubeconfig
  std::string context;                          // --context
  std::string name_space;                       // -n
  std::string impersonate;                      // kubectl's --as; mirrorfs's own --as is another thing
  std::vector<std::string> impersonate_groups;  // --as-group

  bool operator==(const ClusterAccess&) const = default;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_CLUSTER_ACCESS_H_
