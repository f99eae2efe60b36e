// Which of a pod's containers is meant.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_CONTAINER_CHOICE_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_CONTAINER_CHOICE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/kubernetes/pod.h"

namespace mirrorfs {

// Containers that are put beside the one that does the work: service meshes, proxies to databases, agents for secrets.
bool IsKnownSidecar(std::string_view name);

struct ContainerChoice {
  const PodContainer* container = nullptr;  // of the pod
  std::vector<std::string> passed_over;     // known sidecars beside it
};

// `named`: what the user wants; empty: the one that the annotation names, or the only one that is no known sidecar.
// Main containers only, unless named. Fails with kNoTarget: there is none of that name, or several could be meant.
// Does not ask whether it runs.
absl::StatusOr<ContainerChoice> ChooseContainer(const Pod& pod, const std::string& named);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_CONTAINER_CHOICE_H_
