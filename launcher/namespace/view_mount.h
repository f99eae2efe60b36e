// The view as a FUSE mount in this process's own mount namespace, and as its root.
#ifndef MIRRORFS_LAUNCHER_NAMESPACE_VIEW_MOUNT_H_
#define MIRRORFS_LAUNCHER_NAMESPACE_VIEW_MOUNT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

struct ViewMountOptions {
  std::string source;       // what /proc/mounts shows as the device
  std::string directory;    // where to mount it, until it becomes the root
  bool every_user = false;  // for processes of all users, whose rights the kernel checks; else for this user's only
};

// Opens /dev/fuse and mounts. The connection belongs to the user namespace of this process, which is why it must be
// opened here. The caller hands the descriptor to whoever serves it, and keeps no copy: as long as one is open the
// death of the server is not noticed. Fails with kNotPermitted or kMountPoint.
absl::StatusOr<UniqueFd> MountView(const ViewMountOptions& options);

// /dev/fuse can be opened; to find out before anything starts.
absl::Status CheckFuseDevice();

// The first access: waits until the one who serves the view answers. Raises the kernel's read-ahead where it may.
absl::StatusOr<UniqueFd> OpenView(const std::string& directory);

// Makes the view the root of this mount namespace and detaches what was the root before. The working directory is the
// new root then.
absl::Status PivotInto(const UniqueFd& view);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_NAMESPACE_VIEW_MOUNT_H_
