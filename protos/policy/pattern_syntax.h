// Patterns taken apart, for what RE2 cannot be asked: what a pattern may match below a directory. Only the common part
// of RE2's syntax is understood; the rest counts as "could be anything".
#ifndef MIRRORFS_PROTOS_POLICY_PATTERN_SYNTAX_H_
#define MIRRORFS_PROTOS_POLICY_PATTERN_SYNTAX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protos/policy/character_set.h"

namespace mirrorfs {

struct PatternNode {
  enum class Kind : uint8_t {
    kCharacters,  // one of `characters`
    kSequence,    // all of `children`; none: the empty text
    kChoice,      // one of `children`
    kRepeat,      // the only child, `least` to `most` times
    kBegin,       // where the text begins
    kEnd,         // where it ends
    kSomewhere,   // at places that are not looked into (word boundaries)
  };
  static constexpr int kEndless = -1;

  Kind kind = Kind::kSequence;
  CharacterSet characters;
  std::vector<PatternNode> children;
  int least = 0;
  int most = kEndless;
};

// Of a pattern that RE2 accepts. Nothing if there is something in it that is not understood.
std::optional<PatternNode> ParsePattern(std::string_view normalized);

// If the pattern is `^literal(/|$)` or `^literal/`: the literal, as the bytes of a path. Nothing for the root.
std::optional<std::string> LiteralTree(std::string_view normalized);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_PATTERN_SYNTAX_H_
