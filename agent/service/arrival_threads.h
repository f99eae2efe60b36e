// Threads of which one at a time takes what arrives, and serves it: that saves waking another thread for each request.
#ifndef MIRRORFS_AGENT_SERVICE_ARRIVAL_THREADS_H_
#define MIRRORFS_AGENT_SERVICE_ARRIVAL_THREADS_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// One thread leads: it takes an arrival, serves it, takes the next. Another one watches while there is traffic; when
// serving takes more than two of its ticks it leads from there on, so that nothing waits behind what hangs. Whoever has
// lost the lead so stands by when it is done. Thread-safe.
class ArrivalThreads {
 public:
  // Blocks until something arrives; null: nothing will any more. Called by one thread at a time.
  using Next = std::function<void*()>;
  using Serve = std::function<void(void* arrival)>;

  ArrivalThreads(Next next, Serve serve);
  ~ArrivalThreads();  // waits until `next` has said that it is over, and for what is being served
  ArrivalThreads(const ArrivalThreads&) = delete;
  ArrivalThreads& operator=(const ArrivalThreads&) = delete;

 private:
  void RunThread(bool leads);
  void Lead();
  bool StandBy();                                                     // true: this thread leads now; false: it is over
  bool Watch(MutexLock& lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);  // as StandBy
  void WakeWatcher();

  const Next next_;
  const Serve serve_;
  // Odd while an arrival is served. The leader counts it on; so does who takes the lead from it.
  std::atomic<uint64_t> turn_ = 0;
  std::atomic<bool> watcher_sleeps_ = false;

  Mutex mutex_;
  std::condition_variable wake_watcher_;
  std::condition_variable to_stand_by_;
  bool has_watcher_ ABSL_GUARDED_BY(mutex_) = false;
  size_t standing_by_ ABSL_GUARDED_BY(mutex_) = 0;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_ARRIVAL_THREADS_H_
