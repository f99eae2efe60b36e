// Threads of their own for requests that wait for locks: those may take for ever, and must not use up the threads
// that serve everything else, the unlocking among it.
#ifndef MIRRORFS_FUSEFS_KERNEL_LOCK_WAITS_H_
#define MIRRORFS_FUSEFS_KERNEL_LOCK_WAITS_H_

#include <condition_variable>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe.
class LockWaits {
 public:
  LockWaits() = default;
  // Waits for all; whoever destroys it has stopped the requests.
  ~LockWaits() {
    MutexLock lock(mutex_);
    while (running_ != 0) lock.Wait(ended_);
  }
  LockWaits(const LockWaits&) = delete;
  LockWaits& operator=(const LockWaits&) = delete;

  void Run(std::function<void()> wait) {
    {
      MutexLock lock(mutex_);
      ++running_;
    }
    std::thread([this, wait = std::move(wait)]() mutable {
      wait();
      wait = nullptr;
      MutexLock lock(mutex_);
      if (--running_ == 0) ended_.notify_all();
    }).detach();
  }

 private:
  Mutex mutex_;
  std::condition_variable ended_;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_LOCK_WAITS_H_
