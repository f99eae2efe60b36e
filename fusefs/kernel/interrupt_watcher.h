// Which interrupted requests are to be given up.
//
// The kernel says once that a program's thread has met a signal while it waits. Answering EINTR to each would break
// programs that count on SA_RESTART, and a SIGKILL that follows a harmless signal is not told. So an interrupted
// request is watched for as long as it lasts, and stopped when its thread is being killed; requests that wait for
// locks also for signals that a program would see.
#ifndef MIRRORFS_FUSEFS_KERNEL_INTERRUPT_WATCHER_H_
#define MIRRORFS_FUSEFS_KERNEL_INTERRUPT_WATCHER_H_

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <stop_token>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe.
class InterruptWatcher {
 public:
  InterruptWatcher();
  ~InterruptWatcher();
  InterruptWatcher(const InterruptWatcher&) = delete;
  InterruptWatcher& operator=(const InterruptWatcher&) = delete;

  struct Watched {
    pid_t thread = 0;  // 0: not visible from here; then the interrupt itself counts
    std::stop_source stop;
    bool any_signal = false;  // not just SIGKILL
  };
  // `request` is any number that is unique among those watched.
  void Watch(uint64_t request, Watched watched);
  void Unwatch(uint64_t request);

 private:
  void Run();

  Mutex mutex_;
  std::condition_variable wake_;
  absl::flat_hash_map<uint64_t, Watched> watched_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_INTERRUPT_WATCHER_H_
