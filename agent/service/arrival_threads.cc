#include "agent/service/arrival_threads.h"

#include <chrono>
#include <utility>

namespace mirrorfs {
namespace {

// What a request may keep others waiting for is twice that.
constexpr std::chrono::milliseconds kTick{1};
// Ticks without anything new after which the watcher sleeps until there is.
constexpr int kQuietTicks = 50;

}  // namespace

ArrivalThreads::ArrivalThreads(Next next, Serve serve) : next_(std::move(next)), serve_(std::move(serve)) {
  const MutexLock lock(mutex_);
  threads_.emplace_back([this] { RunThread(/*leads=*/true); });
  threads_.emplace_back([this] { RunThread(/*leads=*/false); });
}

ArrivalThreads::~ArrivalThreads() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    while (!over_) lock.Wait(to_stand_by_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void ArrivalThreads::RunThread(bool leads) {
  while (leads || StandBy()) {
    leads = false;
    Lead();
  }
}

void ArrivalThreads::Lead() {
  while (void* const arrival = next_()) {
    uint64_t serving = turn_.load() + 1;
    turn_.store(serving);
    if (watcher_sleeps_.load()) WakeWatcher();
    serve_(arrival);
    if (!turn_.compare_exchange_strong(serving, serving + 1)) return;  // it took long, and another one leads
  }
  const MutexLock lock(mutex_);
  over_ = true;
  wake_watcher_.notify_all();
  to_stand_by_.notify_all();
}

void ArrivalThreads::WakeWatcher() {
  const MutexLock lock(mutex_);
  watcher_sleeps_.store(false);
  wake_watcher_.notify_all();
}

bool ArrivalThreads::StandBy() {
  MutexLock lock(mutex_);
  ++standing_by_;
  while (has_watcher_ && !over_) lock.Wait(to_stand_by_);
  --standing_by_;
  if (over_) return false;
  has_watcher_ = true;
  const bool leads = Watch(lock);
  has_watcher_ = false;
  if (!leads) return false;
  // As many as there are requests that take long: few, as the worker pool gets all but the first of them.
  if (standing_by_ == 0) threads_.emplace_back([this] { RunThread(/*leads=*/false); });
  to_stand_by_.notify_one();
  return true;
}

bool ArrivalThreads::Watch(MutexLock& lock) {
  uint64_t seen = 0;
  for (int quiet = 0; !over_;) {
    uint64_t turn = turn_.load();
    const bool same = turn == seen;
    if (same && turn % 2 == 1 && turn_.compare_exchange_strong(turn, turn + 1)) return true;
    seen = turn;
    quiet = same ? quiet + 1 : 0;
    if (quiet < kQuietTicks) {
      lock.WaitUntil(wake_watcher_, std::chrono::steady_clock::now() + kTick);
      continue;
    }
    quiet = 0;
    watcher_sleeps_.store(true);
    // Whoever leads looks for a sleeper after it has counted on, and this looks at the count after it has lain down.
    while (watcher_sleeps_.load() && turn_.load() == seen && !over_) lock.Wait(wake_watcher_);
    watcher_sleeps_.store(false);
  }
  return false;
}

}  // namespace mirrorfs
