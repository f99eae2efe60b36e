// A pattern as an automaton that reads a path character by character, in one of two ways: generously (every path that
// the pattern matches is accepted, others may be) or strictly (every path that is accepted is matched by the pattern).
#ifndef MIRRORFS_PROTOS_POLICY_PATTERN_AUTOMATON_H_
#define MIRRORFS_PROTOS_POLICY_PATTERN_AUTOMATON_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protos/policy/pattern_syntax.h"

namespace mirrorfs {

// Immutable, thread-safe.
class PatternAutomaton {
 public:
  // Where the automaton may be after some text: states in ascending order. Empty: nothing that follows can be a match.
  using States = std::vector<int>;

  // Nothing if the pattern is not understood or would need too many states.
  static std::optional<PatternAutomaton> Of(std::string_view normalized_pattern);

  States Start(Reading reading) const;
  States Step(const States& states, uint32_t character, Reading reading) const;

  // A match lies in the text already, whatever follows.
  bool Matched(const States& states) const;
  // The text is matched if it ends here.
  bool MatchedAtEnd(const States& states, Reading reading) const;

  const std::vector<CharacterSet>& characters() const { return characters_; }

 private:
  enum class Kind : uint8_t { kCharacters, kSplit, kBegin, kEnd, kSomewhere, kMatch };
  struct State {
    Kind kind;
    size_t characters = 0;  // of kCharacters
    int next = -1;
    int other = -1;  // of kSplit
  };
  struct Here {
    bool begin;
    bool end;
  };

  int Add(State state);
  int Build(const PatternNode& node, int next);
  int BuildRepeat(const PatternNode& node, int next);
  bool Passes(Kind kind, Here here, Reading reading) const;
  // Adds a state and all that can be reached from it without a character.
  void Enter(int state, Here here, Reading reading, std::vector<bool>& entered) const;
  States Settled(const std::vector<bool>& entered) const;

  std::vector<State> states_;
  std::vector<CharacterSet> characters_;
  int match_ = 0;
  int start_ = 0;
  bool too_large_ = false;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_PATTERN_AUTOMATON_H_
