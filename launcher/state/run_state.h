// State directories of runs of programs: one per `mirrorfs exec`, named after the process that became the program.
#ifndef MIRRORFS_LAUNCHER_STATE_RUN_STATE_H_
#define MIRRORFS_LAUNCHER_STATE_RUN_STATE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "launcher/state/known_mounts.h"
#include "launcher/state/state_directory.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

struct RunState {
  std::string name;  // "exec/PID", as people see it
  StatePaths paths;
  UniqueFd lock;
};

// A fresh directory for this process's run, locked. Clears away what runs have left whose keeper was killed together
// with the process behind it.
absl::StatusOr<RunState> TakeRunState(const std::string& base);

// Waits until runs that certainly have no process any more have let go of their private layers and cleared away, which
// takes them moments: their programs were no children of anybody who could have waited for that.
void WaitForEndingRuns(const std::string& base);

// "exec/PID", rather than a mount point.
bool IsRunName(std::string_view word);
// kNotMounted: it has ended, or never was.
absl::Status NoSuchRun(std::string_view name);

std::optional<KnownMount> FindRun(const std::string& base, std::string_view name);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_STATE_RUN_STATE_H_
