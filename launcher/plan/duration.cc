#include "launcher/plan/duration.h"

#include <cmath>
#include <string>

#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {

absl::StatusOr<absl::Duration> ParseDuration(std::string_view option, std::string_view text) {
  const std::string word(text);
  double seconds = 0;
  absl::Duration duration;
  if (absl::SimpleAtod(word, &seconds) && std::isfinite(seconds)) {
    duration = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(word, &duration)) {
    return Failure(ExitCode::kUsage,
                   fmt::format("{}: '{}' is not a length of time; write 10s, 500ms or 2m.", option, text));
  }
  if (duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) {
    return Failure(ExitCode::kUsage, fmt::format("{}: '{}' must be finite and not negative.", option, text));
  }
  return duration;
}

}  // namespace mirrorfs
