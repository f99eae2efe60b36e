#include "protos/rootfs/kernel_calls.h"

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "protos/rootfs/proc_fd_directory.h"

namespace mirrorfs {
namespace {

constexpr unsigned kStatxMask = STATX_BASIC_STATS | STATX_BTIME | kStatxMountId | kStatxUniqueMountId;
constexpr int kBeneathAttempts = 8;  // EAGAIN: a rename was going on somewhere

}  // namespace

int OpenBeneath(int directory, const char* name, uint64_t flags, uint32_t mode) {
  open_how how = {};
  how.flags = flags | O_NOFOLLOW | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 1;; ++attempt) {
    const int fd = static_cast<int>(::syscall(SYS_openat2, directory, name, &how, sizeof(how)));
    if (fd >= 0 || errno != EAGAIN || attempt == kBeneathAttempts) return fd;
  }
}

int StatFd(int fd, struct statx* result) {
  return ::statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_AS_STAT, kStatxMask, result);
}

bool WithoutXattrs(int directory, const char* name) {
  std::string path = ProcFdDirectory::PathOf(directory);
  if (*name == '\0') return ::listxattr(path.c_str(), nullptr, 0) == 0;
  return ::llistxattr(path.append("/").append(name).c_str(), nullptr, 0) == 0;
}

int AccessFd(int fd, int mode) {
  return static_cast<int>(::syscall(SYS_faccessat2, fd, "", mode, AT_EACCESS | AT_EMPTY_PATH));
}

int StatName(int directory, const char* name, struct statx* result) {
  return ::statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_SYNC_AS_STAT, kStatxMask, result);
}

}  // namespace mirrorfs
