#include "tests/native/system_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

FileTime ToFileTime(const statx_timestamp& time) { return Join({time.tv_sec, time.tv_nsec}); }

}  // namespace

absl::Status CheckName(std::string_view name) {
  if (name.size() > kMaxNameBytes) return ErrnoStatus(ENAMETOOLONG);
  if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos || name.find('\0') != name.npos) {
    return ErrnoStatus(EINVAL);
  }
  return absl::OkStatus();
}

absl::StatusOr<Attributes> AttributesOf(int fd) {
  struct statx status = {};
  if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) != 0) return LastErrno("statx");
  Attributes result;
  result.type = TypeOfMode(status.stx_mode);
  result.permissions = status.stx_mode & kPermissionMask;
  result.nlink = status.stx_nlink;
  result.uid = status.stx_uid;
  result.gid = status.stx_gid;
  result.rdev_major = status.stx_rdev_major;
  result.rdev_minor = status.stx_rdev_minor;
  result.size = status.stx_size;
  result.blocks = status.stx_blocks;
  result.block_size = status.stx_blksize;
  result.inode = status.stx_ino;
  result.device = makedev(status.stx_dev_major, status.stx_dev_minor);
  result.atime_ns = ToFileTime(status.stx_atime);
  result.mtime_ns = ToFileTime(status.stx_mtime);
  result.ctime_ns = ToFileTime(status.stx_ctime);
  return result;
}

absl::StatusOr<std::string> LinkTargetOf(int fd) {
  std::string target(kMaxTargetBytes + 1, '\0');
  const ssize_t size = readlinkat(fd, "", target.data(), target.size());
  // The kernel's word for "not a symbolic link", when it is asked by descriptor.
  if (size < 0 && errno == ENOENT) return ErrnoStatus(EINVAL, "readlink");
  if (size < 0) return LastErrno("readlink");
  target.resize(size);
  return target;
}

absl::StatusOr<std::string> LinkTargetOf(int fd, const Attributes& attributes) {
  if (attributes.type != FileType::kSymlink) return std::string();
  return LinkTargetOf(fd);
}

int ToOpenFlags(const OpenFlags& flags) {
  int result = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  result |= flags.read && flags.write ? O_RDWR : flags.write ? O_WRONLY : O_RDONLY;
  if (flags.append) result |= O_APPEND;
  if (flags.truncate) result |= O_TRUNC;
  if (flags.direct) result |= O_DIRECT;
  if (flags.sync) result |= O_SYNC;
  if (flags.dsync) result |= O_DSYNC;
  if (flags.no_atime) result |= O_NOATIME;
  return result;
}

absl::Status ToStatus(int result, std::string_view what) { return result == 0 ? absl::OkStatus() : LastErrno(what); }

}  // namespace mirrorfs
