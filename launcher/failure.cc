#include "launcher/failure.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"

namespace mirrorfs {
namespace {

constexpr char kExitCodePayload[] = "mirrorfs/exit_code";

}  // namespace

absl::Status Failure(ExitCode code, std::string message) {
  absl::Status status = absl::UnknownError(message);
  status.SetPayload(kExitCodePayload, absl::Cord(std::to_string(static_cast<int>(code))));
  return status;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  const auto payload = status.GetPayload(kExitCodePayload);
  int code = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &code)) return ExitCode::kFailed;
  return static_cast<ExitCode>(code);
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

std::string ErrnoText(int error) { return std::generic_category().message(error); }

}  // namespace mirrorfs
