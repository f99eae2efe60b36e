#include "fusefs/kernel/interrupt_watcher.h"

#include <chrono>
#include <utility>
#include <vector>

#include "fusefs/kernel/pending_signals.h"

namespace mirrorfs {
namespace {

constexpr std::chrono::milliseconds kLookEvery{20};

bool ToBeStopped(const InterruptWatcher::Watched& watched) {
  if (watched.thread == 0) return true;
  const PendingSignals pending = ReadPendingSignals(watched.thread);
  return watched.any_signal ? pending.visible : pending.killed;
}

}  // namespace

InterruptWatcher::InterruptWatcher() : thread_([this] { Run(); }) {}

InterruptWatcher::~InterruptWatcher() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void InterruptWatcher::Watch(uint64_t request, Watched watched) {
  MutexLock lock(mutex_);
  watched_.emplace(request, std::move(watched));
  wake_.notify_all();
}

void InterruptWatcher::Unwatch(uint64_t request) {
  MutexLock lock(mutex_);
  watched_.erase(request);
}

void InterruptWatcher::Run() {
  for (;;) {
    std::vector<std::pair<uint64_t, Watched>> looked_at;
    {
      MutexLock lock(mutex_);
      while (watched_.empty() && !ending_) lock.Wait(wake_);
      if (ending_) return;
      looked_at.assign(watched_.begin(), watched_.end());
    }
    for (auto& [request, watched] : looked_at) {
      if (!ToBeStopped(watched)) continue;
      Unwatch(request);
      watched.stop.request_stop();  // without the lock: what it wakes may take others
    }
    MutexLock lock(mutex_);
    if (!ending_) lock.WaitUntil(wake_, std::chrono::steady_clock::now() + kLookEvery);
  }
}

}  // namespace mirrorfs
