// Ids of things that the kernel holds open, chosen here, each used once.
#ifndef MIRRORFS_PROTOS_SHARED_HANDLE_TABLE_H_
#define MIRRORFS_PROTOS_SHARED_HANDLE_TABLE_H_

#include <atomic>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe.
template <typename T>
class HandleTable {
 public:
  void Insert(HandleId id, std::shared_ptr<T> value) {
    MutexLock lock(mutex_);
    handles_.emplace(id, std::move(value));
  }
  // Null if it is not open.
  std::shared_ptr<T> Find(HandleId id) const {
    MutexLock lock(mutex_);
    const auto found = handles_.find(id);
    return found == handles_.end() ? nullptr : found->second;
  }
  std::shared_ptr<T> Remove(HandleId id) {
    MutexLock lock(mutex_);
    const auto found = handles_.find(id);
    if (found == handles_.end()) return nullptr;
    std::shared_ptr<T> value = std::move(found->second);
    handles_.erase(found);
    return value;
  }

 private:
  mutable Mutex mutex_;
  absl::flat_hash_map<HandleId, std::shared_ptr<T>> handles_ ABSL_GUARDED_BY(mutex_);
};

// Gives out handle ids: 1, 2, 3 … Thread-safe.
class HandleIds {
 public:
  HandleId Next() { return HandleId{next_.fetch_add(1, std::memory_order_relaxed)}; }

 private:
  std::atomic<uint64_t> next_{1};
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_SHARED_HANDLE_TABLE_H_
