// "Did you mean": the candidate that a mistyped word was probably meant to be.
#ifndef MIRRORFS_LAUNCHER_PLAN_NEAREST_H_
#define MIRRORFS_LAUNCHER_PLAN_NEAREST_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace mirrorfs {

// Nothing if none is near (more than about a third of the letters differ).
std::optional<std::string> Nearest(std::string_view word, absl::Span<const std::string> candidates);

// Ends a sentence: "; did you mean WORD?", or "." if nothing is near.
std::string DidYouMean(std::string_view word, absl::Span<const std::string> candidates);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_NEAREST_H_
