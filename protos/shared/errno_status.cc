#include "protos/shared/errno_status.h"

#include <cerrno>
#include <string>
#include <system_error>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace mirrorfs {
namespace {

constexpr char kErrnoPayload[] = "mirrorfs/errno";

int FallbackErrno(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kCancelled:
      return EINTR;
    case absl::StatusCode::kDeadlineExceeded:
      return ETIMEDOUT;
    case absl::StatusCode::kInvalidArgument:
      return EINVAL;
    case absl::StatusCode::kNotFound:
      return ESTALE;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return EACCES;
    case absl::StatusCode::kResourceExhausted:
      return ENOMEM;
    case absl::StatusCode::kUnimplemented:
      return EOPNOTSUPP;
    default:
      return EIO;
  }
}

}  // namespace

absl::Status ErrnoStatus(int error, std::string_view what) {
  if (error == 0) return absl::OkStatus();
  std::string message;
  if (!what.empty()) message = fmt::format("{}: {}", what, std::generic_category().message(error));
  absl::Status status(absl::StatusCode::kUnknown, message);
  status.SetPayload(kErrnoPayload, absl::Cord(std::to_string(error)));
  return status;
}

absl::Status LastErrno(std::string_view what) { return ErrnoStatus(errno, what); }

int ToErrno(const absl::Status& status) {
  if (status.ok()) return 0;
  if (auto payload = status.GetPayload(kErrnoPayload)) {
    int error = 0;
    if (absl::SimpleAtoi(std::string(*payload), &error) && error > 0) return error;
  }
  return FallbackErrno(status.code());
}

bool HasErrno(const absl::Status& status) { return !status.ok() && status.GetPayload(kErrnoPayload).has_value(); }

}  // namespace mirrorfs
