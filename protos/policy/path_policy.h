// Decides which path is the container's, which this machine's, which nobody's, and where writes to it go.
#ifndef MIRRORFS_PROTOS_POLICY_PATH_POLICY_H_
#define MIRRORFS_PROTOS_POLICY_PATH_POLICY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "protos/policy/policy_spec.h"

namespace mirrorfs {

enum class PathSide : uint8_t { kContainer, kLocal, kNotFound };
enum class WritesGo : uint8_t { kContainer, kLayer, kLocal, kNowhere };

// "container", "local", "not_found"; "container", "layer", "local", "nowhere".
std::string_view NameOf(PathSide side);
std::string_view NameOf(WritesGo writes);

struct PathDecision {
  PathSide side = PathSide::kContainer;
  WritesGo writes = WritesGo::kContainer;
  const PolicyRule* rule = nullptr;  // null: no rule matched, the mode decided. Lives as long as any copy of the policy

  // The same outcome, whichever rule led to it.
  bool SameOutcome(const PathDecision& other) const { return side == other.side && writes == other.writes; }
};

// Paths are absolute and the ones that the kernel's walk has reached: "/" or "/a/b", no empty, "." or ".." component,
// no slash at the end, any bytes but NUL. A byte that is no part of UTF-8 counts as one character.
//
// Thread-safe and immutable; copies are cheap and share everything.
class PathPolicy {
 public:
  // Refused with kInvalidArgument, in a message that names origin, list and pattern: patterns that RE2 does not
  // take, lists that do not exist, patterns of users that no path can match or that rules of other lists which come
  // first leave nothing to, replacements that name groups which do not exist.
  static absl::StatusOr<PathPolicy> Compile(PolicySpec spec);

  // Of a path that Map() has been applied to. A microsecond or so: callers that ask often remember the answer.
  PathDecision Decide(std::string_view absolute_path) const;

  // The path that is meant by a path of the view: what the first mapping that matches makes of it, or itself. Always
  // absolute and in the form above. In mode `local` mappings do not apply, as no rule does.
  std::string Map(std::string_view absolute_path) const;

  // Which mapping applies; null: none. Lives as long as any copy of the policy.
  const PathMapping* MappingOf(std::string_view absolute_path) const;

  // Could a path below this directory (at any depth, existing or not) have another outcome than the directory, or be
  // mapped? Never false when one could; may be true when none does. `directory` is a path of the view.
  bool MayDifferBelow(std::string_view directory) const;

  // Trees that are this machine's as a whole, so that binding the machine's own directory there changes nothing but the
  // speed: every rule `^/literal(/|$)` (or `^/literal/`, with the literal itself local too) of a local list, in whose
  // tree no path is decided otherwise or mapped. None lies within another; sorted. In mode `local`: only "/".
  std::vector<std::string> UniformLocalTrees() const;

  const PolicySpec& spec() const;

 private:
  struct Compiled;
  explicit PathPolicy(std::shared_ptr<const Compiled> compiled);

  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_PATH_POLICY_H_
