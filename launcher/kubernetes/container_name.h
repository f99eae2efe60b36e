// A text that names one container of one pod for good: one that was started anew, or that another pod of the same name
// has, is named by another text.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_CONTAINER_NAME_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_CONTAINER_NAME_H_

#include <optional>
#include <string>
#include <string_view>

#include "launcher/kubernetes/pod_target.h"
#include "launcher/kubernetes/workload_target.h"

namespace mirrorfs {

// Of a node's own root: the node's name.
std::string ContainerName(const PodTarget& target);

struct NamedContainer {
  std::string name_space;
  WorkloadTarget workload;  // that pod, and that container of it
  std::string said;         // "pod/web-7c9, container app"
};

// Nothing for any other text. What follows such a name, after a space, does not matter.
std::optional<NamedContainer> ParseContainerName(std::string_view text);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_CONTAINER_NAME_H_
