// System calls that glibc 2.36 has no wrapper for, and the constants that its headers lack. All return -1 and errno.
#ifndef MIRRORFS_PROTOS_ROOTFS_KERNEL_CALLS_H_
#define MIRRORFS_PROTOS_ROOTFS_KERNEL_CALLS_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>

namespace mirrorfs {

inline constexpr int kAtHandleFid = 0x200;               // AT_HANDLE_FID, Linux 6.5
inline constexpr unsigned kStatxMountId = 0x1000;        // STATX_MNT_ID, Linux 5.8
inline constexpr unsigned kStatxUniqueMountId = 0x4000;  // STATX_MNT_ID_UNIQUE, Linux 6.8
inline constexpr int64_t kMaxFileOffset = INT64_MAX;

// One name in a held directory: openat2 with RESOLVE_BENEATH, NO_SYMLINKS and NO_MAGICLINKS; O_NOFOLLOW and O_CLOEXEC
// are added to `flags`. `name` is a checked component name.
int OpenBeneath(int directory, const char* name, uint64_t flags, uint32_t mode = 0);

// statx of an open file (also O_PATH), or of a name in a directory without following a link.
int StatFd(int fd, struct statx* result);
int StatName(int directory, const char* name, struct statx* result);

// What is known for certain of a file's extended attributes, as far as this process may know of them: none at all, no
// ACL of either kind. `directory` and `name` as for StatName, or an open file (also O_PATH) and "".
struct XattrFacts {
  bool none = false;
  bool no_acl = false;
};
XattrFacts FindXattrFacts(int directory, const char* name);

// access(2) of an open file (also O_PATH) with the thread's effective ids and capabilities.
int AccessFd(int fd, int mode);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_KERNEL_CALLS_H_
