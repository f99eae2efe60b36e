// Threads that run the agent's file system calls, so that gRPC's own never block.
//
// Tasks wait in lanes, one for each session and file system of the container, served in turn: a session's flood does
// not keep another one waiting. A file system that hangs holds at most max_per_device threads.
#ifndef MIRRORFS_AGENT_SERVICE_WORKER_POOL_H_
#define MIRRORFS_AGENT_SERVICE_WORKER_POOL_H_

#include <compare>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

class WorkerTask {
 public:
  virtual ~WorkerTask() = default;
  virtual void Run() = 0;
  // Called instead of Run: `Deadline` passed while the task waited, or the pool stops.
  virtual void Expire() = 0;
  virtual absl::Time Deadline() const = 0;
};

struct WorkerPoolOptions {
  size_t max_threads = 64;
  size_t max_per_device = 16;
};

// Thread-safe. Threads are started as they are needed.
class WorkerPool {
 public:
  struct Lane {
    uint64_t session = 0;
    uint64_t device = 0;  // 0: not known
    auto operator<=>(const Lane&) const = default;
  };

  explicit WorkerPool(WorkerPoolOptions options);
  // Expires what waits and joins the threads, so it returns when the running tasks are over.
  ~WorkerPool();

  void Submit(Lane lane, std::unique_ptr<WorkerTask> task);
  // Runs it on the calling thread if nothing else runs or waits and its file system has been quick, else as Submit:
  // waking a worker takes longer than most tasks, and with several under way it does not matter.
  void RunOrSubmit(Lane lane, std::unique_ptr<WorkerTask> task);
  // Expires waiting tasks whose deadline is before `now`. To be called now and then: workers may all be stuck.
  void ExpireWaiting(absl::Time now);
  // Expires everything that waits; later tasks expire at once.
  void Stop();

 private:
  using Tasks = std::deque<std::unique_ptr<WorkerTask>>;
  struct Work {
    std::unique_ptr<WorkerTask> task;
    uint64_t device = 0;
  };

  void RunThread();
  // The next task, in turn, of a lane whose device has a thread to spare; waits for one. No task: stop.
  Work Next();
  bool TakeReady(Work& work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finished(uint64_t device);
  bool EnterCaller(uint64_t device);
  void LeaveCaller(uint64_t device, absl::Duration took);

  const WorkerPoolOptions options_;
  Mutex mutex_;
  std::condition_variable ready_;
  std::map<Lane, Tasks> waiting_ ABSL_GUARDED_BY(mutex_);  // lanes without tasks are not in it
  Lane last_served_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, size_t> running_ ABSL_GUARDED_BY(mutex_);         // by device
  absl::flat_hash_map<uint64_t, absl::Time> slow_until_ ABSL_GUARDED_BY(mutex_);  // by device
  size_t waiting_count_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_WORKER_POOL_H_
