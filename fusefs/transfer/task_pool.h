// Threads that work off tasks which may add tasks.
#ifndef MIRRORFS_FUSEFS_TRANSFER_TASK_POOL_H_
#define MIRRORFS_FUSEFS_TRANSFER_TASK_POOL_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe. The newest task is taken first, so that a tree is walked into its depth and few tasks wait.
class TaskPool {
 public:
  using Task = std::function<void()>;

  explicit TaskPool(size_t threads);
  ~TaskPool();  // after Wait
  TaskPool(const TaskPool&) = delete;

  void Add(Task task);
  // Until all are done, also those that were added by others.
  void Wait();

 private:
  void RunThread();

  Mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t unfinished_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_TRANSFER_TASK_POOL_H_
