// The process behind a run's keeper: waits for it, and does its last duties if it is killed. It does nothing else, so
// whoever is looking for memory, or for the one that grows, finds the keeper first.
#ifndef MIRRORFS_LAUNCHER_KEEPER_EXEC_WARDEN_H_
#define MIRRORFS_LAUNCHER_KEEPER_EXEC_WARDEN_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "launcher/state/state_directory.h"

namespace mirrorfs {

struct ExecWardenDuty {
  StatePaths paths;
  int terminal_fd = -1;
  std::string layer_directory;  // empty: none
  std::vector<int> others;      // descriptors that are for the keeper alone
};

// Forks. In the child, which is to be the keeper, it returns. The parent never does: it holds the state's lock as the
// keeper does, and exits after it. If the keeper was killed, it waits for the run's end (the daemon serves on), ends
// the agent and removes the state.
absl::Status SplitOffKeeper(const ExecWardenDuty& duty);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_EXEC_WARDEN_H_
