// GetLock, SetLock.
#include <cerrno>

#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::StatusOr<LockRange> RootedFilesystemImpl::GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                                        const LockRange& lock) {
  ASSIGN_OR_RETURN(const OpenDescriptor file, handles_.Find(handle));
  return locks_.Get(file, owner, lock);
}

absl::Status RootedFilesystemImpl::SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                                           const LockRange& lock, absl::Duration wait) {
  ASSIGN_OR_RETURN(const OpenDescriptor file, handles_.Find(handle));
  // Never waits: whoever calls it asks again (agent/service), and keeps no thread busy meanwhile.
  const absl::Status status = locks_.Set(handle, file, owner, kind, lock);
  if (ToErrno(status) != ENOLCK) return status;
  fds_.Clear();  // what is only cached gives way
  return locks_.Set(handle, file, owner, kind, lock);
}

}  // namespace mirrorfs
