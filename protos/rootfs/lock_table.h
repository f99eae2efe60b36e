// Locks that the client's processes hold on the container's files.
//
// POSIX locks taken by one process never conflict with each other, and the agent is one process. So each (owner, file)
// has a descriptor of its own and locks with OFD locks (or flock): they conflict with those of other owners and with
// the locks of the container's processes, and end when the descriptor is closed.
#ifndef MIRRORFS_PROTOS_ROOTFS_LOCK_TABLE_H_
#define MIRRORFS_PROTOS_ROOTFS_LOCK_TABLE_H_

#include <memory>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/rootfs/descriptor_table.h"
#include "protos/rootfs/proc_fd_directory.h"
#include "protos/rootfs/range_set.h"
#include "protos/shared/file_types.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Never waits for a lock: EAGAIN if another owner has it. ENOLCK if there are no descriptors left. Call it with the
// agent's own rights, outside of ActingAs: what the handle was opened for is what counts. Thread-safe. Lock order: a
// record's mutex, then mutex_. A record's mutex is held across lock calls: only calls of the same owner on the same
// file wait for it.
class LockTable {
 public:
  explicit LockTable(const ProcFdDirectory& proc) : proc_(proc) {}

  absl::Status Set(HandleId handle, const OpenDescriptor& file, LockOwner owner, LockKind kind, const LockRange& lock);
  // Range locks only.
  absl::StatusOr<LockRange> Get(const OpenDescriptor& file, LockOwner owner, const LockRange& lock);
  // Drops what owners have locked through this handle and no other.
  void Release(HandleId handle, NodeId node);

 private:
  struct Record {
    Mutex mutex;
    UniqueFd fd ABSL_GUARDED_BY(mutex);
    bool writable ABSL_GUARDED_BY(mutex) = false;
    bool ended ABSL_GUARDED_BY(mutex) = false;  // not in the table any more
    RangeSet ranges ABSL_GUARDED_BY(mutex);
    absl::flat_hash_set<uint64_t> handles ABSL_GUARDED_BY(mutex);
  };
  using RecordPtr = std::shared_ptr<Record>;
  using Key = std::tuple<uint64_t, uint64_t, uint8_t>;  // node, owner, kind

  RecordPtr FindRecord(const Key& key, bool create);
  std::vector<std::pair<Key, RecordPtr>> RecordsOf(NodeId node) const;
  void End(const Key& key, Record& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(record.mutex);
  absl::Status SetRange(const OpenDescriptor& file, Record& record, const LockRange& lock)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(record.mutex);
  absl::Status SetFlock(const OpenDescriptor& file, Record& record, const LockRange& lock)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(record.mutex);
  absl::Status PrepareForRanges(const OpenDescriptor& file, Record& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(record.mutex);
  absl::StatusOr<UniqueFd> OpenForLocks(const OpenDescriptor& file) const;
  uint32_t PidOfOwner(const OpenDescriptor& file, const LockRange& conflict);

  const ProcFdDirectory& proc_;
  mutable Mutex mutex_;
  absl::flat_hash_map<Key, RecordPtr> records_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, absl::flat_hash_set<Key>> by_node_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_LOCK_TABLE_H_
