// std::mutex with Clang's thread safety annotations. (Debian's absl::Mutex is built without TSan's hooks and gives
// false races.) Use ABSL_GUARDED_BY(mutex_) on what it protects.
#ifndef MIRRORFS_PROTOS_SHARED_MUTEX_H_
#define MIRRORFS_PROTOS_SHARED_MUTEX_H_

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"

namespace mirrorfs {

class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// Holds a Mutex for a scope; Wait() gives it up meanwhile.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() ABSL_UNLOCK_FUNCTION() = default;
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void Wait(std::condition_variable& condition) { condition.wait(lock_); }
  template <typename TimePoint>
  std::cv_status WaitUntil(std::condition_variable& condition, TimePoint deadline) {
    return condition.wait_until(lock_, deadline);
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_SHARED_MUTEX_H_
