// The directory to mount on: found, looked at, and made fit so that nothing can be written beneath the mount (P7).
#ifndef MIRRORFS_LAUNCHER_SYSTEM_MOUNT_POINT_H_
#define MIRRORFS_LAUNCHER_SYSTEM_MOUNT_POINT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// `path` with symbolic links resolved. The last component is not entered if something is mounted there, so a dead
// or hung mount can be named.
absl::StatusOr<std::string> PhysicalPath(const std::string& path);

struct MountPointWish {
  std::string path;             // physical
  bool nonempty = false;        // one that is not empty will do (root only)
  bool make_directory = false;  // make it if it is missing
  bool root = false;
};

// Opens it, or says why it will not do. Nothing of mirrorfs is mounted there any more.
absl::StatusOr<UniqueFd> OpenMountPoint(const MountPointWish& wish);

// An ordinary user may let others use his mount only if /etc/fuse.conf says so.
absl::Status CheckAllowOther(bool root);

// /dev/fuse can be opened, and for an ordinary user fusermount3 is there.
absl::Status CheckFuse(bool root);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_MOUNT_POINT_H_
