#include "fusefs/daemon/exit_codes.h"

#include <cerrno>

#include "protos/shared/errno_status.h"

namespace mirrorfs {

DaemonExit ExitOfConnect(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
      return DaemonExit::kNoTarget;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return DaemonExit::kNotPermitted;
    case absl::StatusCode::kInvalidArgument:
      return DaemonExit::kUsage;
    default:
      return DaemonExit::kUnreachable;
  }
}

DaemonExit ExitOfView(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kInvalidArgument && !HasErrno(status)) return DaemonExit::kUsage;
  const int error = ToErrno(status);
  if (error == EBUSY) return DaemonExit::kBusy;
  return error == EPERM || error == EACCES ? DaemonExit::kNotPermitted : DaemonExit::kFailed;
}

DaemonExit ExitOfMount(const absl::Status& status) {
  const int error = ToErrno(status);
  return error == EPERM || error == EACCES ? DaemonExit::kNotPermitted : DaemonExit::kMountPoint;
}

}  // namespace mirrorfs
