// Threads for calls that nobody waits for yet: read-ahead and queued writes.
#ifndef MIRRORFS_FUSEFS_CORE_IO_POOL_H_
#define MIRRORFS_FUSEFS_CORE_IO_POOL_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// One piece of work that is done exactly once. Thread-safe.
class IoTask {
 public:
  explicit IoTask(std::function<void()> work) : work_(std::move(work)) {}

  // Does the work here if nobody has begun it.
  void RunIfQueued();
  bool Done() const;
  // Waits for the end of the work; not for its beginning, if all threads are busy with other things.
  enum class Outcome : uint8_t { kDone, kNotBegun, kStopped };
  Outcome Wait(const std::stop_token& stop);

 private:
  enum class State : uint8_t { kQueued, kRunning, kDone };

  std::function<void()> work_;
  mutable Mutex mutex_;
  std::condition_variable done_;  // the state has changed
  State state_ ABSL_GUARDED_BY(mutex_) = State::kQueued;
};

using IoTaskPtr = std::shared_ptr<IoTask>;

// Starts threads as they are needed, up to `max_threads`. Thread-safe.
class IoPool {
 public:
  explicit IoPool(size_t max_threads) : max_threads_(max_threads) {}
  // Finishes what is queued.
  ~IoPool();
  IoPool(const IoPool&) = delete;
  IoPool& operator=(const IoPool&) = delete;

  void Submit(IoTaskPtr task);

 private:
  void Work();

  const size_t max_threads_;
  Mutex mutex_;
  std::condition_variable wake_;
  std::deque<IoTaskPtr> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_IO_POOL_H_
