// SIGTERM, SIGINT and SIGHUP, taken by a thread that asks the session to stop.
#ifndef MIRRORFS_FUSEFS_DAEMON_STOP_SIGNALS_H_
#define MIRRORFS_FUSEFS_DAEMON_STOP_SIGNALS_H_

#include <functional>
#include <thread>

#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Blocks them in this thread, and so in all that it starts later. Call it before any other thread exists.
void BlockStopSignals();

// From the first of them on, calls `stop` again and again until the destructor.
class StopSignals {
 public:
  explicit StopSignals(std::function<void()> stop);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;

 private:
  UniqueFd signals_;
  UniqueFd end_;
  std::jthread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_STOP_SIGNALS_H_
