// Record locks and flock. The agent holds them, so that they conflict with the container's own processes.
#include <cerrno>
#include <thread>

#include "fusefs/core/filesystem_core.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// One call waits that long at most: then the agent has given a sign of life, and is asked again.
constexpr absl::Duration kWaitPerCall = absl::Seconds(1);
constexpr absl::Duration kPause = absl::Milliseconds(5);
// A lock of another handle of this mount may be gone already: the close is on its way from the kernel, which sent it
// first, but a thread that has taken it may not have come to it yet.
constexpr int kTriesForCloses = 3;

}  // namespace

absl::StatusOr<LockRange> FilesystemCore::GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                                  const LockRange& lock) {
  ASSIGN_OR_RETURN(const OpenFilePtr file, FindFile(handle));
  if (!file->inode->lock_releases().Wait(context.stop)) return ErrnoStatus(EINTR, "lock");
  return files_.GetLock(context, handle, owner, lock);
}

absl::Status FilesystemCore::SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                                     const LockRange& lock, bool wait) {
  ASSIGN_OR_RETURN(const OpenFilePtr file, FindFile(handle));
  // What was read before the lock may have changed since, and what is written under it must be there for the next.
  RETURN_IF_ERROR(Settle(context, *file->inode));
  if (lock.type != LockType::kUnlock) {
    file->NoteLock(owner, kind);
    if (kind == LockKind::kRange) file->inode->AddLockOwner(owner);
  }
  absl::Status status;
  for (int tries = 1;; ++tries) {
    const Instant asked_at = Now();
    // The kernel closes a handle without waiting for us: its locks may be in the way just now.
    const uint64_t releases = file->inode->LockReleasesBegun();
    if (!file->inode->lock_releases().Wait(context.stop)) return ErrnoStatus(EINTR, "lock");
    status = files_.SetLock(context, handle, owner, kind, lock, wait ? kWaitPerCall : absl::ZeroDuration());
    if (ToErrno(status) != EAGAIN || context.stop.stop_requested()) break;
    if (file->inode->LockReleasesBegun() != releases) continue;
    const bool others_hold = file->inode->LockHolders() > 1;
    if (!wait && (!others_hold || tries == kTriesForCloses)) break;
    // An agent that does not hold the answer back is not asked without a pause.
    if (absl::Nanoseconds(Now() - asked_at) < kPause) std::this_thread::sleep_for(absl::ToChronoNanoseconds(kPause));
  }
  if (wait && ToErrno(status) == EAGAIN) return ErrnoStatus(EINTR, "lock");
  file->inode->MarkChanged();  // nothing that was read ahead without the lock is used under it
  return status;
}

}  // namespace mirrorfs
