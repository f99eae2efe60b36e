// The one place that maps errno to Status and back. A Status that stands for a file system error carries its errno
// as payload; every other Status (a broken transport, a protocol violation) reads as the errno that a program
// should see for it.
#ifndef MIRRORFS_PROTOS_SHARED_ERRNO_STATUS_H_
#define MIRRORFS_PROTOS_SHARED_ERRNO_STATUS_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mirrorfs {

// `error` is a positive errno. `what` names the call or the object, for logs; it may be empty.
[[nodiscard]] absl::Status ErrnoStatus(int error, std::string_view what = {});

// The current errno as a Status. Call it at once after the failed system call.
[[nodiscard]] absl::Status LastErrno(std::string_view what = {});

// 0 for OK; the payload if there is one; else the errno that fits the code (EIO when none does).
[[nodiscard]] int ToErrno(const absl::Status& status);

// True if the status carries an errno payload: the file system has answered, and this is the answer.
[[nodiscard]] bool HasErrno(const absl::Status& status);

}  // namespace mirrorfs

#define MIRRORFS_CONCAT_INNER_(a, b) a##b
#define MIRRORFS_CONCAT_(a, b) MIRRORFS_CONCAT_INNER_(a, b)

// Returns from the function if the expression is not OK.
#define RETURN_IF_ERROR(expression) \
  if (absl::Status status_or_ok = (expression); !status_or_ok.ok()) return status_or_ok

// ASSIGN_OR_RETURN(auto x, F()): x is F's value, or the function returns F's error.
#define ASSIGN_OR_RETURN(target, expression) \
  ASSIGN_OR_RETURN_INNER_(MIRRORFS_CONCAT_(status_or_, __LINE__), target, expression)
#define ASSIGN_OR_RETURN_INNER_(value, target, expression) \
  auto value = (expression);                               \
  if (!value.ok()) return std::move(value).status();       \
  target = *std::move(value)

#endif  // MIRRORFS_PROTOS_SHARED_ERRNO_STATUS_H_
