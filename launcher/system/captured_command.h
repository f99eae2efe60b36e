// Running another program to its end and keeping what it says.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_CAPTURED_COMMAND_H_
#define MIRRORFS_LAUNCHER_SYSTEM_CAPTURED_COMMAND_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace mirrorfs {

struct CapturedCommand {
  std::string program;                 // path
  std::vector<std::string> command;    // argv, with argv[0]
  std::vector<std::string> variables;  // NAME=VALUE, besides this process's own environment
  std::string_view input;              // its stdin
  absl::Duration limit = absl::InfiniteDuration();
  // What it has said on stderr after that long goes to this process's stderr, too: somebody may have to react.
  absl::Duration patience = absl::Seconds(3);
};

struct CapturedEnd {
  int wait_status = 0;
  bool timed_out = false;  // it was killed
  std::string output;
  std::string errors;

  bool Succeeded() const { return !timed_out && wait_status == 0; }
};

// In this working directory and process group, so that Ctrl-C reaches it. Fails only if it cannot be started. Does not
// wait for programs that it leaves behind.
absl::StatusOr<CapturedEnd> RunCaptured(const CapturedCommand& command);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_CAPTURED_COMMAND_H_
