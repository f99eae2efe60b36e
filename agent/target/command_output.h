// A program's standard output.
#ifndef MIRRORFS_AGENT_TARGET_COMMAND_OUTPUT_H_
#define MIRRORFS_AGENT_TARGET_COMMAND_OUTPUT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

// Runs the program (looked up in PATH) to its end, with the environment and standard error of the caller. UNAVAILABLE
// if it cannot be started, fails or takes longer than 30 s (it is killed then).
absl::StatusOr<std::string> CommandOutput(const std::vector<std::string>& arguments);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_COMMAND_OUTPUT_H_
