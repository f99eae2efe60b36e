#include "agent/service/lock_waiters.h"

#include <chrono>
#include <utility>

namespace mirrorfs {
namespace {

constexpr std::chrono::milliseconds kInterval{10};

}  // namespace

LockWaiters::~LockWaiters() {
  Stop();
  thread_.join();
}

void LockWaiters::Park(WorkerPool::Lane lane, std::unique_ptr<WorkerTask> task) {
  {
    MutexLock lock(mutex_);
    if (!stopped_) waiting_.push_back({lane, std::move(task)});
  }
  if (task != nullptr) {
    task->Expire();
  } else {
    changed_.notify_one();
  }
}

void LockWaiters::Kick() {
  {
    MutexLock lock(mutex_);
    if (waiting_.empty()) return;
    kicked_ = true;
  }
  changed_.notify_one();
}

void LockWaiters::Stop() {
  std::vector<Waiter> rest;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    rest.swap(waiting_);
  }
  changed_.notify_one();
  for (Waiter& waiter : rest) waiter.task->Expire();
}

void LockWaiters::RunThread() {
  while (true) {
    std::vector<Waiter> round = NextRound();
    if (round.empty()) return;
    for (Waiter& waiter : round) pool_.Submit(waiter.lane, std::move(waiter.task));
  }
}

std::vector<LockWaiters::Waiter> LockWaiters::NextRound() {
  MutexLock lock(mutex_);
  while (waiting_.empty() && !stopped_) lock.Wait(changed_);
  const auto next = std::chrono::steady_clock::now() + kInterval;
  while (!kicked_ && !stopped_) {
    if (lock.WaitUntil(changed_, next) == std::cv_status::timeout) break;
  }
  kicked_ = false;
  return std::exchange(waiting_, {});
}

}  // namespace mirrorfs
