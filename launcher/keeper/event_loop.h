// Waits for many things at once in one thread and calls back for each.
#ifndef MIRRORFS_LAUNCHER_KEEPER_EVENT_LOOP_H_
#define MIRRORFS_LAUNCHER_KEEPER_EVENT_LOOP_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Not thread-safe. Callbacks may watch and unwatch anything, themselves included.
class EventLoop {
 public:
  enum class TimerId : uint64_t { kNone = 0 };

  // Calls `ready` each time that `fd` has one of `events` (poll(2)) or an error. The caller keeps the fd open until
  // Unwatch. Watching an fd again replaces its callback.
  void Watch(int fd, short events, std::function<void()> ready);
  void Unwatch(int fd);

  // Calls `ended` once with the wait status of the child, which is reaped.
  absl::Status WatchChild(pid_t pid, std::function<void(int)> ended);

  // Calls `due` once, after `delay`.
  TimerId After(absl::Duration delay, std::function<void()> due);
  void Cancel(TimerId timer);

  // Until Stop is called from a callback.
  void Run();
  void Stop() { stopped_ = true; }

 private:
  struct Watcher {
    short events = 0;
    uint64_t generation = 0;
    std::function<void()> ready;
  };
  struct Timer {
    absl::Time at;
    std::function<void()> due;
  };

  int NextTimeout() const;
  void RunDueTimers();
  void RunReady();

  std::map<int, Watcher> watchers_;
  std::map<uint64_t, Timer> timers_;
  uint64_t last_id_ = 0;
  bool stopped_ = false;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_EVENT_LOOP_H_
