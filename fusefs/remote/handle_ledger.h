// What a new agent must be told about the open handles, and which of them did not survive.
#ifndef MIRRORFS_FUSEFS_REMOTE_HANDLE_LEDGER_H_
#define MIRRORFS_FUSEFS_REMOTE_HANDLE_LEDGER_H_

#include <atomic>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "fusefs/remote/generation.h"
#include "protos/shared/file_types.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

struct LedgerHandle {
  HandleId handle = HandleId::kNone;
  NodeId node = NodeId::kInvalid;
  OpenFlags flags;
};

// Thread-safe. Its lock is innermost.
class HandleLedger {
 public:
  struct Released {
    Generation generation = Generation::kNone;  // the session that it is to be given back to
    bool urgent = false;                        // others may notice that it is still open
  };

  // False if the answer is from another session than the present one.
  bool Opened(Generation generation, HandleId handle, NodeId node, OpenFlags flags);
  // An owner has got a lock through the handle, or given back all that it may have had.
  void Locked(HandleId handle, LockOwner owner);
  void Unlocked(HandleId handle, LockOwner owner);
  Released Release(HandleId handle);

  // The session that handles belong to now.
  Generation Present() const {
    MutexLock lock(mutex_);
    return generation_;
  }

  // OK, or why a handle cannot be used any more: ESTALE, or EIO if it held locks when its session was lost.
  absl::Status Check(HandleId handle) const {
    return any_lost_.load(std::memory_order_acquire) ? CheckLost(handle) : absl::OkStatus();
  }

  // kInvalid: it is not open.
  NodeId NodeOf(HandleId handle) const {
    MutexLock lock(mutex_);
    const auto found = records_.find(handle);
    return found == records_.end() ? NodeId::kInvalid : found->second.node;
  }

  // The handles to reclaim in the session `next`, which is the present one from now on. Those that held locks are lost.
  std::vector<LedgerHandle> Snapshot(Generation next);
  void Lost(HandleId handle);
  // All of them are lost: the session `next`, which is the present one from now on, is about another root.
  void Abandon(Generation next);

 private:
  struct Record {
    NodeId node = NodeId::kInvalid;
    OpenFlags flags;
    std::vector<LockOwner> lockers;  // who may hold locks
    int error = 0;                   // it is lost
  };

  absl::Status CheckLost(HandleId handle) const;

  std::atomic<bool> any_lost_ = false;
  mutable Mutex mutex_;
  Generation generation_ ABSL_GUARDED_BY(mutex_) = Generation::kFirst;
  absl::flat_hash_map<HandleId, Record> records_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_HANDLE_LEDGER_H_
