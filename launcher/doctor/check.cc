#include "launcher/doctor/check.h"

#include <utility>

namespace mirrorfs {

const char* ToWord(CheckResult result) {
  switch (result) {
    case CheckResult::kOk:
      return "ok";
    case CheckResult::kWarning:
      return "warning";
    case CheckResult::kFailed:
      break;
  }
  return "failed";
}

Check Judge(std::string subject, const absl::Status& status, std::string fine, CheckResult otherwise) {
  if (status.ok()) {
    return {.subject = std::move(subject), .result = CheckResult::kOk, .text = std::move(fine), .code = ExitCode::kOk};
  }
  return {.subject = std::move(subject), .result = otherwise, .text = MessageOf(status), .code = ExitCodeOf(status)};
}

}  // namespace mirrorfs
