// The part of the Docker Engine API that finds a container. podman speaks it too.
#ifndef MIRRORFS_AGENT_TARGET_ENGINE_API_H_
#define MIRRORFS_AGENT_TARGET_ENGINE_API_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "agent/target/found_container.h"

namespace mirrorfs {

// `runtime` ("docker") is for messages, `name` a name, id or the beginning of one.
absl::StatusOr<FoundContainer> FindWithEngineApi(std::string_view runtime, const std::string& socket,
                                                 const std::string& name);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_ENGINE_API_H_
