// How the project's patterns are given to RE2: upper and lower case alike, "." matches every character.
#ifndef MIRRORFS_PROTOS_POLICY_PATTERN_H_
#define MIRRORFS_PROTOS_POLICY_PATTERN_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "re2/re2.h"

namespace mirrorfs {

RE2::Options PatternOptions();

// The pattern as RE2 of Debian 12 takes it: bytes that are not UTF-8 replaced (match_text.h), (?<name> written as
// (?P<name>, which is the same to users of other tools.
std::string NormalizedPattern(std::string_view pattern);

// Of a normalized pattern. Fails with kInvalidArgument; the message is RE2's, with a hint where one helps.
absl::StatusOr<std::unique_ptr<RE2>> CompilePattern(std::string_view normalized);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_PATTERN_H_
