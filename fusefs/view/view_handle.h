// A file that is open in a view.
#ifndef MIRRORFS_FUSEFS_VIEW_VIEW_HANDLE_H_
#define MIRRORFS_FUSEFS_VIEW_VIEW_HANDLE_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "fusefs/view/view_node.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe. The inner handle has the same id on whichever side it is.
class ViewHandle {
 public:
  ViewHandle(HandleId id, ViewNodePtr node, const OpenFlags& flags, Side side)
      : id(id), node(std::move(node)), flags(flags), side_(side) {}

  const HandleId id;
  const ViewNodePtr node;
  const OpenFlags flags;  // as the client asked

  // Where it is open now: its file may be copied into the layer.
  Side side() const {
    MutexLock lock(mutex_);
    return side_;
  }
  void MoveTo(Side side) {
    MutexLock lock(mutex_);
    side_ = side;
  }

  // A handle of the node's lock file; kNone: not opened yet.
  HandleId lock_handle() const {
    MutexLock lock(mutex_);
    return lock_handle_;
  }
  // Returns the one that is kept: another thread may have been faster.
  HandleId KeepLockHandle(HandleId opened) {
    MutexLock lock(mutex_);
    if (lock_handle_ == HandleId::kNone) lock_handle_ = opened;
    return lock_handle_;
  }

 private:
  mutable Mutex mutex_;
  Side side_ ABSL_GUARDED_BY(mutex_);
  HandleId lock_handle_ ABSL_GUARDED_BY(mutex_) = HandleId::kNone;
};

using ViewHandlePtr = std::shared_ptr<ViewHandle>;

// Thread-safe.
class ViewHandleTable {
 public:
  // False if the id is in use.
  bool Add(const ViewHandlePtr& handle) {
    MutexLock lock(mutex_);
    return handles_.emplace(handle->id, handle).second;
  }
  ViewHandlePtr Find(HandleId id) const {
    MutexLock lock(mutex_);
    const auto found = handles_.find(id);
    return found == handles_.end() ? nullptr : found->second;
  }
  ViewHandlePtr Remove(HandleId id) {
    MutexLock lock(mutex_);
    const auto found = handles_.find(id);
    if (found == handles_.end()) return nullptr;
    ViewHandlePtr handle = std::move(found->second);
    handles_.erase(found);
    return handle;
  }

 private:
  mutable Mutex mutex_;
  absl::flat_hash_map<HandleId, ViewHandlePtr> handles_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_VIEW_HANDLE_H_
