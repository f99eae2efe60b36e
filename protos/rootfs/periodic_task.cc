#include "protos/rootfs/periodic_task.h"

namespace mirrorfs {

PeriodicTask::PeriodicTask(std::chrono::milliseconds period, std::function<void()> task)
    : thread_([this, period, task = std::move(task)] { Run(period, task); }) {}

PeriodicTask::~PeriodicTask() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  stopping_changed_.notify_all();
  thread_.join();
}

void PeriodicTask::Run(std::chrono::milliseconds period, const std::function<void()>& task) {
  while (true) {
    const auto next = std::chrono::steady_clock::now() + period;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && lock.WaitUntil(stopping_changed_, next) == std::cv_status::no_timeout) {
      }
      if (stopping_) return;
    }
    task();
  }
}

}  // namespace mirrorfs
