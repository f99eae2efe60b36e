// Takes back a mount that was made a moment ago and does not work. Never used once it has been announced as ready.
#ifndef MIRRORFS_FUSEFS_DAEMON_UNMOUNT_H_
#define MIRRORFS_FUSEFS_DAEMON_UNMOUNT_H_

#include <string>

namespace mirrorfs {

// Detaches it: as root by itself, else through fusermount3.
void TakeBackMount(const std::string& mountpoint);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_UNMOUNT_H_
