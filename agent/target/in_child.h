// Asking a runtime in a process of its own: gRPC starts threads that stay, and the agent must have none yet.
#ifndef MIRRORFS_AGENT_TARGET_IN_CHILD_H_
#define MIRRORFS_AGENT_TARGET_IN_CHILD_H_

#include <functional>

#include "absl/status/statusor.h"
#include "agent/target/found_container.h"

namespace mirrorfs {

// Runs `find` in a forked child and returns its answer. UNAVAILABLE if the child dies or takes longer than 30 s.
// The calling process must not have used gRPC before.
absl::StatusOr<FoundContainer> FindInChild(const std::function<absl::StatusOr<FoundContainer>()>& find);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_IN_CHILD_H_
