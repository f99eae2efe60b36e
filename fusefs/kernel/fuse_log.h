// What libfuse has to say goes to the daemon's log, with time and name as everything else there.
#ifndef MIRRORFS_FUSEFS_KERNEL_FUSE_LOG_H_
#define MIRRORFS_FUSEFS_KERNEL_FUSE_LOG_H_

namespace mirrorfs {

// To spdlog's default logger from now on. libfuse has one place for this in a process.
void TakeFuseLog();

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_FUSE_LOG_H_
