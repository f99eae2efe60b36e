// A file that is open in a view.
#ifndef MIRRORFS_FUSEFS_VIEW_VIEW_HANDLE_H_
#define MIRRORFS_FUSEFS_VIEW_VIEW_HANDLE_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
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
  // It is open on `side` from now on, too: returns where it was. Nothing if it has ended meanwhile.
  std::optional<Side> MoveTo(Side side) {
    MutexLock lock(mutex_);
    if (ended_) return std::nullopt;
    return std::exchange(side_, side);
  }
  // It moves no more. Returns where it is open.
  Side End() {
    MutexLock lock(mutex_);
    ended_ = true;
    return side_;
  }

  // A handle of the node's lock file; kNone: not opened yet.
  HandleId lock_handle() const {
    MutexLock lock(mutex_);
    return lock_handle_;
  }
  void SetLockHandle(HandleId opened) {
    MutexLock lock(mutex_);
    lock_handle_ = opened;
  }

 private:
  mutable Mutex mutex_;
  Side side_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  HandleId lock_handle_ ABSL_GUARDED_BY(mutex_) = HandleId::kNone;
};

using ViewHandlePtr = std::shared_ptr<ViewHandle>;

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_VIEW_HANDLE_H_
