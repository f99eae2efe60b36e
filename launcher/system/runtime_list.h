// The containers of this machine that a runtime's own command knows.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_RUNTIME_LIST_H_
#define MIRRORFS_LAUNCHER_SYSTEM_RUNTIME_LIST_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

struct RuntimeContainer {
  std::string name;
  std::string image;
  std::string status;  // in the runtime's words
};

// Those that run. `runtime`: "docker" or "podman". Fails with kUnreachable if there is no such command, or it fails.
absl::StatusOr<std::vector<RuntimeContainer>> ListContainers(const std::string& runtime);

// From what `ps --format "{{json .}}"` prints, one object a line.
std::vector<RuntimeContainer> ContainersIn(std::string_view lines);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_RUNTIME_LIST_H_
