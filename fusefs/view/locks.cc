// GetLock and SetLock.
//
// What is private is locked in private: a program that only reads must not hold up the container's. As long as its
// file is not in the layer, an empty file in the layer's work directory stands for it. The first lock decides where
// all locks of a node are, until it is closed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {

absl::StatusOr<ViewFileSystemImpl::LockPlace> ViewFileSystemImpl::WhereLocksAre(const CallContext& context,
                                                                                ViewHandle& handle) {
  ViewNode& node = *handle.node;
  if (!node.WritesGoToLayer() || !Has(Side::kLayer)) return LockPlace{&On(handle.side()), handle.id};
  while (true) {
    const bool copied = node.Serving() == Side::kLayer;
    if (copied) RETURN_IF_ERROR(MoveToCopy(context, handle));
    ASSIGN_OR_RETURN(const Gate::Pass pass, locking_.Enter(context.stop));
    if (node.GetLockFile() || !(node.LocksOnItself() || node.Serving() == Side::kLayer)) {
      ASSIGN_OR_RETURN(const HandleId lock_handle, LockHandle(handle));
      return LockPlace{&On(Side::kLayer), lock_handle};
    }
    if (!copied) continue;  // it has just been
    node.SetLocksOnItself(true);
    return LockPlace{&On(Side::kLayer), handle.id};
  }
}

absl::StatusOr<HandleId> ViewFileSystemImpl::LockHandle(ViewHandle& handle) {
  if (const HandleId known = handle.lock_handle(); known != HandleId::kNone) return known;
  FileSystem& files = On(Side::kLayer);
  ViewNode& node = *handle.node;
  if (!node.GetLockFile()) {
    const std::string name = options_.layer->NextWorkName();
    const UniqueFd file(::openat(options_.layer->work(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file) return LastErrno("lock");
    ::fchmod(file.get(), 0666);
    ASSIGN_OR_RETURN(const Entry entry, files.Lookup({}, layer_work_, name));
    node.SetLockFile(ViewNode::LockFile{entry.node, name});
  }
  const HandleId opened = NextInternalHandle();
  const OpenFlags flags{.read = true, .write = true};
  RETURN_IF_ERROR(files.Open({}, node.GetLockFile()->node, opened, flags, 0).status());
  handle.SetLockHandle(opened);
  return opened;
}

void ViewFileSystemImpl::EndLocks(const ViewHandlePtr& handle) {
  ViewNode& node = *handle->node;
  node.RemoveHandle(handle->id);
  if (const HandleId lock_handle = handle->lock_handle(); lock_handle != HandleId::kNone) {
    On(Side::kLayer).Release(std::array{lock_handle});
  }
  if (!node.LocksOnItself() && !node.GetLockFile()) return;
  const absl::StatusOr<Gate::Pass> pass = locking_.Enter({});
  if (!node.Handles().empty()) return;
  node.SetLocksOnItself(false);
  if (const auto file = node.GetLockFile()) {
    node.SetLockFile(std::nullopt);
    ::unlinkat(options_.layer->work(), file->name.c_str(), 0);
    nodes_.GiveBack(Side::kLayer, file->node);
  }
}

absl::StatusOr<LockRange> ViewFileSystemImpl::GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                                      const LockRange& lock) {
  ASSIGN_OR_RETURN(const ViewHandlePtr open, FindHandle(handle));
  ASSIGN_OR_RETURN(const LockPlace place, WhereLocksAre(context, *open));
  return place.files->GetLock(context, place.handle, owner, lock);
}

absl::Status ViewFileSystemImpl::SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                                         const LockRange& lock, absl::Duration wait) {
  ASSIGN_OR_RETURN(const ViewHandlePtr open, FindHandle(handle));
  const bool may = kind == LockKind::kFlock || lock.type == LockType::kUnlock ||
                   (lock.type == LockType::kRead ? open->flags.read : open->flags.write);
  if (!may) return ErrnoStatus(EBADF);
  ASSIGN_OR_RETURN(const LockPlace place, WhereLocksAre(context, *open));
  return place.files->SetLock(context, place.handle, owner, kind, lock, wait);
}

}  // namespace mirrorfs
