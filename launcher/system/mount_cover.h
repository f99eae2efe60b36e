// Keeps the directory beneath a mount empty and unwritable (P7): whatever happens to the daemon, nothing a program
// writes can land there. For root a read-only tmpfs lies beneath the FUSE mount; an ordinary user's directory loses
// its write permission while the mount lies on it.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_MOUNT_COVER_H_
#define MIRRORFS_LAUNCHER_SYSTEM_MOUNT_COVER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "nlohmann/json.hpp"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// What was done to the mount point, and is to be undone.
struct MountCover {
  bool tmpfs = false;
  int64_t directory_mode = -1;  // permissions that the directory had; -1: they were left alone

  bool operator==(const MountCover&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MountCover, tmpfs, directory_mode)

// Root, before the FUSE mount.
absl::Status CoverWithTmpfs(const std::string& mountpoint, MountCover& cover);
// Ordinary users, after it (fusermount3 wants a writable directory). `directory` was opened before.
absl::Status CoverWithMode(const UniqueFd& directory, MountCover& cover);

// After the FUSE mount has gone. What is no longer there is no error.
absl::Status Uncover(const std::string& mountpoint, const MountCover& cover);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_MOUNT_COVER_H_
