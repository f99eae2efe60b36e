#include "agent/service/worker_pool.h"

#include <utility>

#include "absl/time/clock.h"

namespace mirrorfs {
namespace {

// What the page cache has takes a tenth of that, what a disk must fetch several times as long.
constexpr absl::Duration kQuick = absl::Microseconds(500);
// How long a file system that was not quick is taken for slow.
constexpr absl::Duration kSlowFor = absl::Milliseconds(20);

}  // namespace

WorkerPool::WorkerPool(WorkerPoolOptions options) : options_(options) {}

WorkerPool::~WorkerPool() {
  Stop();
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void WorkerPool::Submit(Lane lane, std::unique_ptr<WorkerTask> task) {
  {
    MutexLock lock(mutex_);
    if (!stopped_) {
      waiting_[lane].push_back(std::move(task));
      ++waiting_count_;
      if (idle_ < waiting_count_ && threads_.size() < options_.max_threads) {
        threads_.emplace_back([this] { RunThread(); });
      }
    }
  }
  if (task != nullptr) {
    task->Expire();
  } else {
    ready_.notify_one();
  }
}

void WorkerPool::RunOrSubmit(Lane lane, std::unique_ptr<WorkerTask> task) {
  if (!EnterCaller(lane.device)) return Submit(lane, std::move(task));
  const absl::Time begun = absl::Now();
  task->Run();
  task.reset();
  LeaveCaller(lane.device, absl::Now() - begun);
}

bool WorkerPool::EnterCaller(uint64_t device) {
  const MutexLock lock(mutex_);
  if (stopped_ || waiting_count_ > 0 || !running_.empty()) return false;
  if (const auto slow = slow_until_.find(device); slow != slow_until_.end()) {
    if (absl::Now() < slow->second) return false;
    slow_until_.erase(slow);
  }
  ++running_[device];
  return true;
}

void WorkerPool::LeaveCaller(uint64_t device, absl::Duration took) {
  Finished(device);
  const MutexLock lock(mutex_);
  if (took > kQuick) slow_until_[device] = absl::Now() + kSlowFor;
  if (waiting_count_ > 0) ready_.notify_one();  // it may have waited for this device
}

void WorkerPool::ExpireWaiting(absl::Time now) {
  std::vector<std::unique_ptr<WorkerTask>> late;
  {
    MutexLock lock(mutex_);
    for (auto lane = waiting_.begin(); lane != waiting_.end();) {
      Tasks& tasks = lane->second;
      for (auto& task : tasks) {
        if (task->Deadline() < now) late.push_back(std::move(task));
      }
      std::erase(tasks, nullptr);
      lane = tasks.empty() ? waiting_.erase(lane) : std::next(lane);
    }
    waiting_count_ -= late.size();
  }
  for (auto& task : late) task->Expire();
}

void WorkerPool::Stop() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
  }
  ready_.notify_all();
  ExpireWaiting(absl::InfiniteFuture());
  std::map<Lane, Tasks> rest;  // those without a deadline
  {
    MutexLock lock(mutex_);
    rest.swap(waiting_);
    waiting_count_ = 0;
  }
  for (auto& [lane, tasks] : rest) {
    for (auto& task : tasks) task->Expire();
  }
}

void WorkerPool::RunThread() {
  while (true) {
    Work work = Next();
    if (work.task == nullptr) return;
    work.task->Run();
    work.task.reset();
    Finished(work.device);
  }
}

WorkerPool::Work WorkerPool::Next() {
  Work work;
  MutexLock lock(mutex_);
  while (!stopped_ && !TakeReady(work)) {
    ++idle_;
    lock.Wait(ready_);
    --idle_;
  }
  return work;
}

bool WorkerPool::TakeReady(Work& work) {
  auto lane = waiting_.upper_bound(last_served_);
  for (size_t looked = 0; looked < waiting_.size(); ++looked, ++lane) {
    if (lane == waiting_.end()) lane = waiting_.begin();
    const uint64_t device = lane->first.device;
    size_t& running = running_[device];
    if (running >= options_.max_per_device) continue;
    ++running;
    work = {std::move(lane->second.front()), device};
    lane->second.pop_front();
    --waiting_count_;
    last_served_ = lane->first;
    if (lane->second.empty()) waiting_.erase(lane);
    return true;
  }
  return false;
}

void WorkerPool::Finished(uint64_t device) {
  // The thread itself looks for a task next; another one may wait for the device that has a thread to spare now.
  MutexLock lock(mutex_);
  auto running = running_.find(device);
  if (--running->second == 0) running_.erase(running);
}

}  // namespace mirrorfs
