#include "fusefs/transfer/task_pool.h"

#include <utility>

namespace mirrorfs {

TaskPool::TaskPool(size_t threads) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { RunThread(); });
}

TaskPool::~TaskPool() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

void TaskPool::Add(Task task) {
  const MutexLock lock(mutex_);
  waiting_.push_back(std::move(task));
  ++unfinished_;
  changed_.notify_all();
}

void TaskPool::Wait() {
  MutexLock lock(mutex_);
  while (unfinished_ > 0) lock.Wait(changed_);
}

void TaskPool::RunThread() {
  while (true) {
    Task task;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !ending_) lock.Wait(changed_);
      if (waiting_.empty()) return;
      task = std::move(waiting_.back());
      waiting_.pop_back();
    }
    task();
    task = nullptr;
    const MutexLock lock(mutex_);
    if (--unfinished_ == 0) changed_.notify_all();
  }
}

}  // namespace mirrorfs
