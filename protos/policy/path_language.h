// Questions about all paths there could be: which patterns may still match below a directory, which match every path
// there, which none, which leave nothing to others. Every "yes" and "no" here errs on the side that its function names.
#ifndef MIRRORFS_PROTOS_POLICY_PATH_LANGUAGE_H_
#define MIRRORFS_PROTOS_POLICY_PATH_LANGUAGE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "protos/policy/pattern_automaton.h"

namespace mirrorfs {

// A pattern as these questions need it.
class PatternLanguage {
 public:
  explicit PatternLanguage(std::string_view normalized_pattern);

  // False only if the pattern matches no path whatsoever.
  bool MayMatchAnything() const { return may_match_anything_; }

  // False only if the pattern matches no path below the directory. `directory`: as MatchText() makes it.
  bool MayMatchBelow(std::string_view directory) const;

  // True only if the pattern matches every path below the directory.
  bool MatchesAllBelow(std::string_view directory) const;

  // True only if every path that this pattern matches is matched by one of the others, too.
  bool CoveredBy(absl::Span<const PatternLanguage* const> others) const;

 private:
  std::optional<PatternAutomaton> automaton_;  // nothing: not understood
  std::optional<std::string> shortest_;        // of the paths that may be matched
  bool may_match_anything_ = true;
  bool may_match_below_any_ = true;  // below every directory, by what is still to come there alone
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_PATH_LANGUAGE_H_
