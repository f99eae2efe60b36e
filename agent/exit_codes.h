// What `mirrorfs-agent` returns; the same numbers as the command's (docs/exit-codes.md).
#ifndef MIRRORFS_AGENT_EXIT_CODES_H_
#define MIRRORFS_AGENT_EXIT_CODES_H_

#include "absl/status/status.h"

namespace mirrorfs {

enum class AgentExit : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNoTarget = 3,      // no such container, it is not running, or several match
  kNotPermitted = 4,  // rights are missing
  kUnreachable = 6,   // the runtime does not answer
};

// Why the target could not be had.
inline AgentExit ExitOfTarget(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
      return AgentExit::kNoTarget;
    case absl::StatusCode::kPermissionDenied:
      return AgentExit::kNotPermitted;
    case absl::StatusCode::kUnavailable:
      return AgentExit::kUnreachable;
    default:
      return AgentExit::kFailed;
  }
}

// Why it cannot listen.
inline AgentExit ExitOfListen(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return AgentExit::kUsage;
    case absl::StatusCode::kPermissionDenied:
      return AgentExit::kNotPermitted;
    default:
      return AgentExit::kFailed;
  }
}

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_EXIT_CODES_H_
