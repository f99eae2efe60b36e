// A PathMapping, ready for use.
#ifndef MIRRORFS_PROTOS_POLICY_MAPPING_H_
#define MIRRORFS_PROTOS_POLICY_MAPPING_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "protos/policy/policy_spec.h"
#include "re2/re2.h"

namespace mirrorfs {

// Thread-safe, immutable.
class Mapping {
 public:
  // Fails with kInvalidArgument: a bad pattern, a group that does not exist, a result that would not be absolute.
  static absl::StatusOr<Mapping> Compile(const PathMapping& mapping);

  // `text` as MatchText() makes it. Nothing if the pattern does not match; else an absolute path in the same form, with
  // empty, "." and ".." components resolved.
  std::optional<std::string> Apply(std::string_view text) const;

  bool Matches(std::string_view text) const;

 private:
  struct Piece {
    std::string text;
    int group = -1;  // instead of the text
  };

  absl::Status ParseReplacement(std::string_view replacement);
  absl::StatusOr<Piece> ParseReference(std::string_view& rest) const;
  absl::StatusOr<int> GroupNamed(std::string_view name) const;

  std::unique_ptr<RE2> pattern_;
  std::vector<Piece> pieces_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_MAPPING_H_
