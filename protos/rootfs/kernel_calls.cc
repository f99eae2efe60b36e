#include "protos/rootfs/kernel_calls.h"

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "protos/rootfs/proc_fd_directory.h"

namespace mirrorfs {
namespace {

constexpr unsigned kStatxMask = STATX_BASIC_STATS | STATX_BTIME | kStatxMountId | kStatxUniqueMountId;
constexpr size_t kXattrNamesBytes = 1024;  // a file with more names than fit may have any
constexpr int kBeneathAttempts = 8;        // EAGAIN: a rename was going on somewhere

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

XattrFacts FindXattrFacts(int directory, const char* name) {
  std::array<char, kXattrNamesBytes> names;
  std::string path = ProcFdDirectory::PathOf(directory);
  const ssize_t bytes = *name == '\0' ? ::listxattr(path.c_str(), names.data(), names.size())
                                      : ::llistxattr(path.append("/").append(name).c_str(), names.data(), names.size());
  if (bytes < 0) return {};
  const std::string_view list(names.data(), static_cast<size_t>(bytes));
  return {.none = list.empty(), .no_acl = list.find("system.posix_acl_") == list.npos};
}

int AccessFd(int fd, int mode) {
  return static_cast<int>(::syscall(SYS_faccessat2, fd, "", mode, AT_EACCESS | AT_EMPTY_PATH));
}

int StatName(int directory, const char* name, struct statx* result) {
  return ::statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_SYNC_AS_STAT, kStatxMask, result);
}

}  // namespace mirrorfs
