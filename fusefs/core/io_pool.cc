#include "fusefs/core/io_pool.h"

#include <chrono>
#include <utility>

#include "protos/shared/stoppable_wait.h"

namespace mirrorfs {
namespace {

// An idle thread takes a task up in much less; after that all are busy.
constexpr std::chrono::milliseconds kTimeToBegin{10};

}  // namespace

void IoTask::RunIfQueued() {
  {
    MutexLock lock(mutex_);
    if (state_ != State::kQueued) return;
    state_ = State::kRunning;
    done_.notify_all();
  }
  work_();
  work_ = nullptr;
  MutexLock lock(mutex_);
  state_ = State::kDone;
  done_.notify_all();
}

IoTask::Outcome IoTask::Wait(const std::stop_token& stop) {
  {
    const auto patience = std::chrono::steady_clock::now() + kTimeToBegin;
    MutexLock lock(mutex_);
    while (state_ == State::kQueued && lock.WaitUntil(done_, patience) == std::cv_status::no_timeout) {
    }
    if (state_ == State::kDone) return Outcome::kDone;
    if (state_ == State::kQueued) return Outcome::kNotBegun;
  }
  return StoppableWait(mutex_, done_, stop, [this] { return state_ == State::kDone; }) ? Outcome::kDone
                                                                                       : Outcome::kStopped;
}

bool IoTask::Done() const {
  MutexLock lock(mutex_);
  return state_ == State::kDone;
}

IoPool::~IoPool() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    wake_.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
}

void IoPool::Submit(IoTaskPtr task) {
  MutexLock lock(mutex_);
  queue_.push_back(std::move(task));
  if (queue_.size() > idle_ && threads_.size() < max_threads_) threads_.emplace_back([this] { Work(); });
  wake_.notify_one();
}

void IoPool::Work() {
  for (;;) {
    IoTaskPtr task;
    {
      MutexLock lock(mutex_);
      ++idle_;
      while (queue_.empty() && !stopping_) lock.Wait(wake_);
      --idle_;
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task->RunIfQueued();
  }
}

}  // namespace mirrorfs
