// /proc/self/fd: how a file that is held by an O_PATH descriptor is opened, changed and linked without its name.
#ifndef MIRRORFS_PROTOS_ROOTFS_PROC_FD_DIRECTORY_H_
#define MIRRORFS_PROTOS_ROOTFS_PROC_FD_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Thread-safe. The kernel lets every thread of the process use it, whatever its credentials are.
class ProcFdDirectory {
 public:
  static absl::StatusOr<ProcFdDirectory> Open();

  // A path to the very file behind `fd`, for calls that only take a path. It never leads through a link of the
  // container, even when the file is a symbolic link itself.
  static std::string PathOf(int fd);

  // A new open file description. The caller has made sure that it is a regular file or a directory. -1 and errno.
  int Reopen(int fd, int flags) const;

 private:
  explicit ProcFdDirectory(UniqueFd directory) : directory_(std::move(directory)) {}
  UniqueFd directory_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_PROC_FD_DIRECTORY_H_
