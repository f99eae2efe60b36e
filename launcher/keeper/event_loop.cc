#include "launcher/keeper/event_loop.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

void EventLoop::Watch(int fd, short events, std::function<void()> ready) {
  watchers_[fd] = Watcher{.events = events, .generation = ++last_id_, .ready = std::move(ready)};
}

void EventLoop::Unwatch(int fd) { watchers_.erase(fd); }

absl::Status EventLoop::WatchChild(pid_t pid, std::function<void(int)> ended) {
  const auto pidfd = std::make_shared<UniqueFd>(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!*pidfd) return LastErrno("pidfd_open");
  Watch(pidfd->get(), POLLIN, [this, pid, pidfd, ended = std::move(ended)] {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) != pid) return;
    Unwatch(pidfd->get());
    ended(status);
  });
  return absl::OkStatus();
}

EventLoop::TimerId EventLoop::After(absl::Duration delay, std::function<void()> due) {
  timers_[++last_id_] = Timer{.at = absl::Now() + delay, .due = std::move(due)};
  return static_cast<TimerId>(last_id_);
}

void EventLoop::Cancel(TimerId timer) { timers_.erase(static_cast<uint64_t>(timer)); }

void EventLoop::Run() {
  stopped_ = false;
  while (!stopped_) {
    RunDueTimers();
    if (!stopped_) RunReady();
  }
}

int EventLoop::NextTimeout() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [id, timer] : timers_) next = std::min(next, timer.at);
  if (next == absl::InfiniteFuture()) return -1;
  const int64_t left = absl::ToInt64Milliseconds(next - absl::Now()) + 1;
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

void EventLoop::RunDueTimers() {
  const absl::Time now = absl::Now();
  std::vector<uint64_t> due;
  for (const auto& [id, timer] : timers_) {
    if (timer.at <= now) due.push_back(id);
  }
  for (const uint64_t id : due) {
    auto timer = timers_.extract(id);
    if (!timer.empty() && !stopped_) timer.mapped().due();
  }
}

void EventLoop::RunReady() {
  std::vector<pollfd> polled;
  std::vector<uint64_t> generations;
  for (const auto& [fd, watcher] : watchers_) {
    polled.push_back({.fd = fd, .events = watcher.events, .revents = 0});
    generations.push_back(watcher.generation);
  }
  if (::poll(polled.data(), polled.size(), NextTimeout()) <= 0) return;
  for (size_t i = 0; i < polled.size() && !stopped_; ++i) {
    if (polled[i].revents == 0) continue;
    // An earlier callback may have ended this watch, or given the fd number to another.
    const auto watcher = watchers_.find(polled[i].fd);
    if (watcher == watchers_.end() || watcher->second.generation != generations[i]) continue;
    const auto ready = watcher->second.ready;  // a copy: it may unwatch itself
    ready();
  }
}

}  // namespace mirrorfs
