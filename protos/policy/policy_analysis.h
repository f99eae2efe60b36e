// What a policy means for whole trees, and which of its rules mean nothing at all.
#ifndef MIRRORFS_PROTOS_POLICY_POLICY_ANALYSIS_H_
#define MIRRORFS_PROTOS_POLICY_POLICY_ANALYSIS_H_

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/policy/outcome.h"
#include "protos/policy/path_language.h"
#include "protos/policy/policy_spec.h"

namespace mirrorfs {

// Immutable, thread-safe. Patterns must be ones that RE2 takes.
class PolicyAnalysis {
 public:
  // Refused with kInvalidArgument: rules and mappings of users that no path can match, and rules of users to which
  // rules of other lists that come first leave nothing.
  static absl::StatusOr<PolicyAnalysis> Of(const PolicySpec& spec);

  // False only if every path below has the outcome `own`, which is the directory's. Mappings do not count here.
  // `directory`: as MatchText() makes it.
  bool MayDifferBelow(std::string_view directory, Outcome own) const;

  // False only if no mapping matches a path below.
  bool MayMapBelow(std::string_view directory) const;

 private:
  struct Rule {
    Outcome outcome;
    PatternLanguage language;
  };

  absl::Status CheckRule(const PolicySpec& spec, size_t index) const;
  absl::Status CheckCover(const PolicySpec& spec, size_t index) const;

  std::vector<Rule> rules_;
  std::vector<PatternLanguage> mappings_;
  Outcome by_mode_ = {};
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_POLICY_ANALYSIS_H_
