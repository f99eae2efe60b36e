// What `mirrorfsd` returns to its keeper; the same numbers as the command's (docs/exit-codes.md).
#ifndef MIRRORFS_FUSEFS_DAEMON_EXIT_CODES_H_
#define MIRRORFS_FUSEFS_DAEMON_EXIT_CODES_H_

#include "absl/status/status.h"

namespace mirrorfs {

enum class DaemonExit : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNoTarget = 3,
  kNotPermitted = 4,
  kMountPoint = 5,
  kUnreachable = 6,
  kBusy = 7,
};

// Why no session could be had with the agent.
DaemonExit ExitOfConnect(const absl::Status& status);
// Why there is no view: the policy, the layer.
DaemonExit ExitOfView(const absl::Status& status);
// Why it could not be mounted.
DaemonExit ExitOfMount(const absl::Status& status);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_EXIT_CODES_H_
