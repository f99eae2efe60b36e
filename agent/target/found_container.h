// What a runtime tells about the container that was asked for, and where each runtime is asked.
#ifndef MIRRORFS_AGENT_TARGET_FOUND_CONTAINER_H_
#define MIRRORFS_AGENT_TARGET_FOUND_CONTAINER_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/target/target_name.h"

namespace mirrorfs {

struct FoundContainer {
  std::string id;
  int pid = 0;              // of its first process
  std::string description;  // "docker/web (4f2a91c03d11)"
};

// Each asks `socket`, or where that is empty the runtime's usual places. Errors as Target::Resolve.
absl::StatusOr<FoundContainer> FindDockerContainer(const TargetName& target, const std::string& socket);
// Without a socket that answers, the podman command of the calling user is asked.
absl::StatusOr<FoundContainer> FindPodmanContainer(const TargetName& target, const std::string& socket);
// By the whole id: the oldest process whose control group is the container's.
absl::StatusOr<FoundContainer> FindContainerInCgroups(const TargetName& target);
// These two use gRPC, which starts threads that stay.
absl::StatusOr<FoundContainer> FindContainerdContainer(const TargetName& target, const std::string& socket);
absl::StatusOr<FoundContainer> FindCriContainer(const TargetName& target, const std::string& socket);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_FOUND_CONTAINER_H_
