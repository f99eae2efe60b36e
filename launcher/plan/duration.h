// Lengths of time on the command line: 10s, 500ms, 2m; a bare number is seconds.
#ifndef MIRRORFS_LAUNCHER_PLAN_DURATION_H_
#define MIRRORFS_LAUNCHER_PLAN_DURATION_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace mirrorfs {

// Finite and not negative; else kUsage, naming `option`.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view option, std::string_view text);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_DURATION_H_
