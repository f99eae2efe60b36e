// What every request of one mount needs: the core behind it, and what is known of the connection.
#ifndef MIRRORFS_FUSEFS_KERNEL_EDGE_H_
#define MIRRORFS_FUSEFS_KERNEL_EDGE_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "fusefs/core/filesystem_core.h"
#include "fusefs/core/pending_count.h"
#include "fusefs/kernel/fuse_session.h"
#include "fusefs/kernel/interrupt_watcher.h"
#include "fusefs/kernel/lock_waits.h"
#include "fusefs/kernel/request_counts.h"

namespace mirrorfs {

struct Edge {
  MountOptions options;
  InterruptWatcher interrupts;
  RequestCounts counts;
  std::atomic<uint64_t> next_request{1};
  // The kernel sends its first request when the connection is agreed.
  std::once_flag agreed;
  // Set when the kernel has introduced itself.
  bool kernel_has_epochs = false;
  std::unique_ptr<FilesystemCore> core;
  PendingCount deferred;  // requests that are answered from another thread
  LockWaits lock_waits;   // last: they use the rest
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_EDGE_H_
