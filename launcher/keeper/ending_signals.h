// SIGHUP, SIGINT and SIGTERM as something to wait for, by whoever has to clear away before ending.
#ifndef MIRRORFS_LAUNCHER_KEEPER_ENDING_SIGNALS_H_
#define MIRRORFS_LAUNCHER_KEEPER_ENDING_SIGNALS_H_

#include <signal.h>
#include <sys/types.h>

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// From here on they do nothing but make fd() readable, until the object goes. One that this process ignores stays
// ignored. Not thread-safe; for processes of one thread. May be nested.
class EndingSignals {
 public:
  EndingSignals();
  ~EndingSignals();
  EndingSignals(const EndingSignals&) = delete;

  int fd() const { return fd_.get(); }

  // The one that has come, if one has.
  std::optional<int> Next();

 private:
  sigset_t before_ = {};
  UniqueFd fd_;
};

// How a command ends because of one: kHungUp, kInterrupted or kTerminated.
absl::Status EndedBy(int signal);

// Waits for a child. If a signal comes first, ends it, and fails with EndedBy. Gives the wait status.
absl::StatusOr<int> WaitForChild(pid_t pid, EndingSignals& signals);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_ENDING_SIGNALS_H_
