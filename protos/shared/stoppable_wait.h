// Waiting that a requested stop (the program was killed) ends.
#ifndef MIRRORFS_PROTOS_SHARED_STOPPABLE_WAIT_H_
#define MIRRORFS_PROTOS_SHARED_STOPPABLE_WAIT_H_

#include <condition_variable>
#include <stop_token>

#include "protos/shared/mutex.h"

namespace mirrorfs {

// Waits until `done()`, which is called with `mutex` held, is true; false if a stop was requested before.
// Not to be called with `mutex` held.
template <typename Predicate>
[[nodiscard]] bool StoppableWait(Mutex& mutex, std::condition_variable& condition, const std::stop_token& stop,
                                 Predicate done) {
  const std::stop_callback wake(stop, [&mutex, &condition] {
    const MutexLock lock(mutex);
    condition.notify_all();
  });
  MutexLock lock(mutex);
  while (!done()) {
    if (stop.stop_requested()) return false;
    lock.Wait(condition);
  }
  return true;
}

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_SHARED_STOPPABLE_WAIT_H_
