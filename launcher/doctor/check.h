// What `mirrorfs doctor` has looked at, and what it found.
#ifndef MIRRORFS_LAUNCHER_DOCTOR_CHECK_H_
#define MIRRORFS_LAUNCHER_DOCTOR_CHECK_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "launcher/failure.h"

namespace mirrorfs {

enum class CheckResult : uint8_t {
  kOk,
  kWarning,  // something does not work that a mount can do without
  kFailed,   // no mount can work
};

struct Check {
  std::string subject;  // "FUSE"
  CheckResult result = CheckResult::kOk;
  std::string text;               // what was found; if it is not fine: why, and what to do
  ExitCode code = ExitCode::kOk;  // what a mount would fail with
};

// Called with each as soon as it is known: some take their time.
using CheckReport = std::function<void(const Check&)>;

// "ok", "warning", "failed"
const char* ToWord(CheckResult result);

// `status` is what the code says that mounts go through: `fine` is the text if it is OK, its message if not.
Check Judge(std::string subject, const absl::Status& status, std::string fine,
            CheckResult otherwise = CheckResult::kFailed);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_DOCTOR_CHECK_H_
