// An open file: its handle at the agent, and what is read ahead, written behind or kept of it here.
#ifndef MIRRORFS_FUSEFS_CORE_OPEN_FILE_H_
#define MIRRORFS_FUSEFS_CORE_OPEN_FILE_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/cord.h"
#include "fusefs/core/clock.h"
#include "fusefs/core/inode.h"
#include "fusefs/core/read_ahead.h"
#include "fusefs/core/write_queue.h"
#include "protos/shared/file_system.h"
#include "protos/shared/file_types.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// The public members are set before it is shared and then only used. Thread-safe.
class OpenFile {
 public:
  OpenFile(HandleId handle, OpenFlags flags, InodePtr inode) : handle(handle), flags(flags), inode(std::move(inode)) {}

  const HandleId handle;
  const OpenFlags flags;
  const InodePtr inode;
  Caller opener;  // whose rights writes have that no program waits for
  Instant opened_at = 0;
  std::optional<absl::Cord> whole_content;  // a small file's, as it was at opened_at
  std::unique_ptr<ReadAhead> read_ahead;    // if it can be read
  std::shared_ptr<WriteQueue> write_queue;  // if it can be written, and is not appended to or synced each time

  // --- A second handle at the agent, where pages cannot be written through the first; kNone: not opened yet
  HandleId PageHandle() const {
    MutexLock lock(mutex_);
    return page_handle_;
  }
  // Returns the one that is kept: another thread may have been faster.
  HandleId KeepPageHandle(HandleId opened) {
    MutexLock lock(mutex_);
    if (page_handle_ == HandleId::kNone) page_handle_ = opened;
    return page_handle_;
  }

  // --- Locks taken through this handle that may still be there
  using HeldLock = std::pair<LockOwner, LockKind>;
  void NoteLock(LockOwner owner, LockKind kind) {
    const HeldLock held(owner, kind);
    MutexLock lock(mutex_);
    if (locks_.empty()) inode->AddLockHolder();
    if (std::find(locks_.begin(), locks_.end(), held) == locks_.end()) locks_.push_back(held);
  }
  // The caller tells the inode when they are gone (RemoveLockHolder), if there are any.
  std::vector<HeldLock> TakeLocks() {
    MutexLock lock(mutex_);
    return std::exchange(locks_, {});
  }

 private:
  mutable Mutex mutex_;
  HandleId page_handle_ ABSL_GUARDED_BY(mutex_) = HandleId::kNone;
  std::vector<HeldLock> locks_ ABSL_GUARDED_BY(mutex_);
};

using OpenFilePtr = std::shared_ptr<OpenFile>;

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_OPEN_FILE_H_
