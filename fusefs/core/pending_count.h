// Counts what has begun and is not over: writes of a file that were answered to the kernel and not yet by the agent,
// locks that are being given back.
#ifndef MIRRORFS_FUSEFS_CORE_PENDING_COUNT_H_
#define MIRRORFS_FUSEFS_CORE_PENDING_COUNT_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>

#include "protos/shared/mutex.h"
#include "protos/shared/stoppable_wait.h"

namespace mirrorfs {

// Thread-safe. A leaf in the lock order.
class PendingCount {
 public:
  void Begin() {
    MutexLock lock(mutex_);
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  void End() {
    MutexLock lock(mutex_);
    if (count_.fetch_sub(1, std::memory_order_relaxed) == 1) none_.notify_all();
  }
  bool Any() const { return count_.load(std::memory_order_acquire) != 0; }
  // Blocks until there is none (each has a deadline of its own, so this ends), or a stop is requested: then false.
  [[nodiscard]] bool Wait(const std::stop_token& stop) {
    if (!Any()) return true;
    return StoppableWait(mutex_, none_, stop, [this] { return count_.load(std::memory_order_relaxed) == 0; });
  }

 private:
  Mutex mutex_;
  std::atomic<uint32_t> count_{0};
  std::condition_variable none_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_PENDING_COUNT_H_
