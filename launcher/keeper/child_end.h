// How a child process ended, in words and as an exit code.
#ifndef MIRRORFS_LAUNCHER_KEEPER_CHILD_END_H_
#define MIRRORFS_LAUNCHER_KEEPER_CHILD_END_H_

#include <string>

#include "absl/status/status.h"
#include "launcher/exit_codes.h"

namespace mirrorfs {

// "ended with exit code 3", "was killed by signal 9 (Killed)". `wait_status` as from waitpid.
std::string DescribeEnd(int wait_status);

// Agent and daemon use our exit codes for what can be told (2 to 5); all else is kUnreachable.
ExitCode ExitCodeOfChild(int wait_status);

// Why `program` could not be started: what it has written, or how it ended.
absl::Status StartFailure(const std::string& program, int wait_status, const std::string& output);

// Adds what libfuse and fusermount3 have written to an error that refers to it.
absl::Status WithFuseOutput(const absl::Status& status, const std::string& output);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_CHILD_END_H_
