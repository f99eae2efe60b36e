// Runs something every so often in a thread of its own, until it is destroyed.
#ifndef MIRRORFS_PROTOS_ROOTFS_PERIODIC_TASK_H_
#define MIRRORFS_PROTOS_ROOTFS_PERIODIC_TASK_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <thread>

#include "protos/shared/mutex.h"

namespace mirrorfs {

class PeriodicTask {
 public:
  PeriodicTask(std::chrono::milliseconds period, std::function<void()> task);
  ~PeriodicTask();  // waits for the task if it is running
  PeriodicTask(const PeriodicTask&) = delete;
  PeriodicTask& operator=(const PeriodicTask&) = delete;

 private:
  void Run(std::chrono::milliseconds period, const std::function<void()>& task);

  Mutex mutex_;
  std::condition_variable stopping_changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_PERIODIC_TASK_H_
