// How a command and the keeper that it starts get to know each other: the plan in a file without a name, the state
// directory by its lock, and word over a socket of how it goes.
#ifndef MIRRORFS_LAUNCHER_KEEPER_HAND_OVER_H_
#define MIRRORFS_LAUNCHER_KEEPER_HAND_OVER_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/keeper/child_log.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/state/state_directory.h"
#include "protos/shared/line_channel.h"
#include "protos/shared/unique_fd.h"
#include "spdlog/logger.h"

namespace mirrorfs {

// --- The command's side

// The file of this program; empty if it cannot be told, and then it cannot be started, which is reported.
std::string OwnProgram();

absl::StatusOr<UniqueFd> BytesAsFile(std::string_view bytes);

// The next thing that the keeper says: how it went. Waits.
absl::Status WaitForKeeper(LineChannel& channel, ProgressForm form);

// --- The keeper's side

std::string BytesOfFile(const UniqueFd& file);

// Of the state directory in which this lock lies.
StatePaths PathsBesideLock(const UniqueFd& lock);

// Writes to stderr at once, as much as the plan wants.
spdlog::logger MakeKeeperLogger(const MountPlan& plan);

// stdout and stderr become the log.
void RedirectOutput(const ChildLog& log);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_HAND_OVER_H_
