// The launcher's errors: a message for a person (what, which, why, what to do) and the exit code that goes with it.
#ifndef MIRRORFS_LAUNCHER_FAILURE_H_
#define MIRRORFS_LAUNCHER_FAILURE_H_

#include <string>

#include "absl/status/status.h"
#include "launcher/exit_codes.h"

namespace mirrorfs {

[[nodiscard]] absl::Status Failure(ExitCode code, std::string message);

// kOk for OK, kFailed for a status that did not come from Failure().
[[nodiscard]] ExitCode ExitCodeOf(const absl::Status& status);

[[nodiscard]] std::string MessageOf(const absl::Status& status);

// "Permission denied", for messages.
[[nodiscard]] std::string ErrnoText(int error);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_FAILURE_H_
