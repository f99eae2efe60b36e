// The few calls on directories that a layer needs of the kernel. None follows a symbolic link.
#ifndef MIRRORFS_PROTOS_LAYER_FILE_TREE_H_
#define MIRRORFS_PROTOS_LAYER_FILE_TREE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mirrorfs {

// openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; `path` may have several components. O_NOFOLLOW and O_CLOEXEC
// are added. -1 and errno.
int OpenBelow(int directory, const char* path, uint64_t flags);

// Names of a directory (also O_PATH) without . and .., in no order.
absl::StatusOr<std::vector<std::string>> ListNames(int directory);
bool IsEmptyDirectory(int directory);

// Removes a name, and all below it if it is a directory.
absl::Status RemoveRecursively(int directory, const std::string& name);
absl::Status EmptyDirectory(int directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_LAYER_FILE_TREE_H_
