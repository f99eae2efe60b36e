// The keeper as a process of its own (the usual case), or in this one (`mirrorfs mount -f`).
#ifndef MIRRORFS_LAUNCHER_KEEPER_KEEPER_PROCESS_H_
#define MIRRORFS_LAUNCHER_KEEPER_KEEPER_PROCESS_H_

#include "absl/status/status.h"
#include "launcher/keeper/keeper.h"

namespace mirrorfs {

// argv[0] of the keeper's process, by which main() tells it from a command.
inline constexpr char kKeeperName[] = "mirrorfs-keeper";

// Starts a detached keeper and waits until the mount is ready, or failed.
absl::Status StartKeeper(KeeperSetup setup);

// Runs the keeper here until the mount is gone, its log on the terminal.
absl::Status RunKeeperInForeground(KeeperSetup setup);

// What main() does in the process that StartKeeper has started.
absl::Status RunKeeperProcess();

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_KEEPER_PROCESS_H_
