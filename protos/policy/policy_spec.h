// What decides which path lives where, as text: made by the launcher, read by the daemon. docs/which-path.md
// explains the rules to users; path_policy.h applies them.
#ifndef MIRRORFS_PROTOS_POLICY_POLICY_SPEC_H_
#define MIRRORFS_PROTOS_POLICY_POLICY_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

// Where a path that no rule decides is read and written: the container and the private layer; the container; this
// machine, without any rule; this machine.
enum class FsMode : uint8_t { kRead, kWrite, kLocal, kLocalWithOverrides };

// "read", "write", "local", "localwithoverrides", as users write them; upper case is the same.
std::string_view NameOf(FsMode mode);
std::optional<FsMode> FsModeNamed(std::string_view name);

// Names of lists.
inline constexpr std::string_view kNotFoundList = "not_found";
inline constexpr std::string_view kReadWriteList = "read_write";
inline constexpr std::string_view kReadOnlyList = "read_only";
inline constexpr std::string_view kLocalList = "local";
inline constexpr std::string_view kVolumeList = "volume";  // as read_only
inline constexpr std::string_view kDefaultNotFoundList = "default not_found";
inline constexpr std::string_view kDefaultReadOnlyList = "default read_only";
inline constexpr std::string_view kDefaultLocalList = "default local";

// One pattern of a list. Patterns are RE2, found anywhere in the path, upper and lower case alike.
struct PolicyRule {
  std::string list;  // one of the names above
  std::string pattern;
  std::string origin;  // for people: "flag --read-only", "MIRRORFS_FS_LOCAL", "FILE:LINE", "default"

  friend bool operator==(const PolicyRule&, const PolicyRule&) = default;
};

// The first occurrence of `match` in a path is replaced; $1 and ${name} in `replace` stand for what the groups matched,
// $$ for a dollar sign.
struct PathMapping {
  std::string match;
  std::string replace;
  std::string origin;

  friend bool operator==(const PathMapping&, const PathMapping&) = default;
};

struct PolicySpec {
  FsMode mode = FsMode::kRead;
  std::vector<PolicyRule> rules;      // in order of precedence: the first that matches decides
  std::vector<PathMapping> mappings;  // likewise

  friend bool operator==(const PolicySpec&, const PolicySpec&) = default;
};

// JSON, one object. Texts that are not UTF-8 are kept as MatchText() writes them (match_text.h), which means the same.
std::string EncodePolicySpec(const PolicySpec& spec);

// Fails with kInvalidArgument, saying what is wrong where. Unknown fields are refused.
absl::StatusOr<PolicySpec> DecodePolicySpec(std::string_view json);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_POLICY_SPEC_H_
