// The keeper of a run as a process of its own, with a second one that clears up should the first be killed.
#ifndef MIRRORFS_LAUNCHER_KEEPER_EXEC_KEEPER_PROCESS_H_
#define MIRRORFS_LAUNCHER_KEEPER_EXEC_KEEPER_PROCESS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/plan/mount_plan.h"
#include "protos/shared/line_channel.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// argv[0] of the keeper's processes, by which main() tells them from a command.
inline constexpr char kExecKeeperName[] = "mirrorfs-exec-keeper";

// What a keeper of a run is told.
struct ExecKeeperOrder {
  MountPlan service;       // with the paths of both programs filled in
  std::string run;         // "exec/PID"
  std::string program;     // for people
  pid_t launcher_pid = 0;  // the process that becomes the program
};

// The launcher's ends of what connects it with the keeper. When `word` closes before the program has been started, the
// keeper clears everything away.
struct ExecKeeperConnection {
  LineChannel word;  // see ExecKeeper::Run
  UniqueFd fuse;     // takes the mounted /dev/fuse
  UniqueFd facts;    // a file: what the agent has told, as soon as it is ready
};

// Starts a detached keeper. `lock` is the state directory's, and the keeper's from here on.
absl::StatusOr<ExecKeeperConnection> StartExecKeeper(const ExecKeeperOrder& order, UniqueFd lock);

// What main() does in the process that StartExecKeeper has started.
absl::Status RunExecKeeperProcess();

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_EXEC_KEEPER_PROCESS_H_
