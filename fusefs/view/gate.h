// One at a time: what a mutex is for, where the one inside may wait for the agent or the disk.
#ifndef MIRRORFS_FUSEFS_VIEW_GATE_H_
#define MIRRORFS_FUSEFS_VIEW_GATE_H_

#include <cerrno>
#include <condition_variable>
#include <stop_token>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/mutex.h"
#include "protos/shared/stoppable_wait.h"

namespace mirrorfs {

// Thread-safe. Not for one thread twice.
class Gate {
 public:
  // Being inside. Movable; the end of its life is the way out.
  class Pass {
   public:
    Pass() = default;
    explicit Pass(Gate* gate) : gate_(gate) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    ~Pass() {
      if (gate_ != nullptr) gate_->Leave();
    }

   private:
    Gate* gate_ = nullptr;
  };

  // Blocks until nobody else is inside; EINTR if a stop is requested before.
  absl::StatusOr<Pass> Enter(const std::stop_token& stop) {
    const bool entered = StoppableWait(mutex_, left_, stop, [this] { return !std::exchange(taken_, true); });
    if (!entered) return ErrnoStatus(EINTR, "wait");
    return Pass(this);
  }

 private:
  void Leave() {
    MutexLock lock(mutex_);
    taken_ = false;
    left_.notify_all();
  }

  Mutex mutex_;
  std::condition_variable left_;
  bool taken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_GATE_H_
