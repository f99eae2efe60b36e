// What a keeper would do at the end of its mount, done by somebody else because the keeper is gone.
#ifndef MIRRORFS_LAUNCHER_STATE_CLEAN_UP_H_
#define MIRRORFS_LAUNCHER_STATE_CLEAN_UP_H_

#include "absl/status/status.h"
#include "launcher/state/known_mounts.h"
#include "launcher/system/unmount.h"

namespace mirrorfs {

// Unmounts, ends daemon and agent, uncovers the mount point, removes the state. Needs the state's lock. Fails with
// kBusy, and then nothing has been changed.
absl::Status CleanUp(const KnownMount& mount, UnmountMode mode);

// The same for a mirrorfs mount of which no record is left.
absl::Status CleanUpUnrecorded(const std::string& mountpoint, UnmountMode mode);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_STATE_CLEAN_UP_H_
