// Tasks that wait for a lock somebody else holds. They are put back into the worker pool at once when an unlock is
// heard of, and every few milliseconds anyway, as the container's own processes unlock without telling.
#ifndef MIRRORFS_AGENT_SERVICE_LOCK_WAITERS_H_
#define MIRRORFS_AGENT_SERVICE_LOCK_WAITERS_H_

#include <condition_variable>
#include <memory>
#include <thread>
#include <vector>

#include "agent/service/worker_pool.h"

namespace mirrorfs {

// Thread-safe.
class LockWaiters {
 public:
  explicit LockWaiters(WorkerPool& pool) : pool_(pool), thread_([this] { RunThread(); }) {}
  ~LockWaiters();

  void Park(WorkerPool::Lane lane, std::unique_ptr<WorkerTask> task);
  // A lock has been let go.
  void Kick();
  // Expires those who wait; later ones expire at once.
  void Stop();

 private:
  struct Waiter {
    WorkerPool::Lane lane;
    std::unique_ptr<WorkerTask> task;
  };

  void RunThread();
  // Waits for the next time to try; none: stopped.
  std::vector<Waiter> NextRound();

  WorkerPool& pool_;
  Mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiter> waiting_ ABSL_GUARDED_BY(mutex_);
  bool kicked_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_LOCK_WAITERS_H_
