// Taking the FUSE mount away.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_UNMOUNT_H_
#define MIRRORFS_LAUNCHER_SYSTEM_UNMOUNT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace mirrorfs {

enum class UnmountMode : uint8_t {
  kPlain,
  kLazy,  // out of sight at once, gone when its last user is
};

// Unmounts the topmost mirrorfs mount at `mountpoint` in this mount namespace; OK if there is none. Fails with kBusy
// (the message names who holds it) or kFailed. May block as long as the kernel does.
absl::Status UnmountFuse(const std::string& mountpoint, UnmountMode mode);

// Breaks the connection between the kernel and the daemon: every call on the mount ends with ECONNABORTED. Root only.
void AbortConnection(const std::string& mountpoint);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_UNMOUNT_H_
