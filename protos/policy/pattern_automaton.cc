#include "protos/policy/pattern_automaton.h"

#include <algorithm>

namespace mirrorfs {
namespace {

constexpr size_t kMostStates = 4000;

}  // namespace

std::optional<PatternAutomaton> PatternAutomaton::Of(std::string_view normalized_pattern) {
  const auto node = ParsePattern(normalized_pattern);
  if (!node) return std::nullopt;
  PatternAutomaton automaton;
  automaton.match_ = automaton.Add({.kind = Kind::kMatch});
  automaton.start_ = automaton.Build(*node, automaton.match_);
  if (automaton.too_large_) return std::nullopt;
  return automaton;
}

int PatternAutomaton::Add(State state) {
  if (states_.size() >= kMostStates) {
    too_large_ = true;
    return 0;
  }
  states_.push_back(state);
  return static_cast<int>(states_.size()) - 1;
}

// Back to front: `next` is where the match goes on after the node.
int PatternAutomaton::Build(const PatternNode& node, int next) {
  if (too_large_) return 0;
  switch (node.kind) {
    case PatternNode::Kind::kCharacters:
      characters_.push_back(node.characters);
      return Add({.kind = Kind::kCharacters, .characters = characters_.size() - 1, .next = next});
    case PatternNode::Kind::kSequence:
      for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) next = Build(*child, next);
      return next;
    case PatternNode::Kind::kChoice: {
      int choice = Build(node.children.back(), next);
      for (auto child = node.children.rbegin() + 1; child != node.children.rend(); ++child) {
        choice = Add({.kind = Kind::kSplit, .next = Build(*child, next), .other = choice});
      }
      return choice;
    }
    case PatternNode::Kind::kRepeat:
      return BuildRepeat(node, next);
    case PatternNode::Kind::kBegin:
      return Add({.kind = Kind::kBegin, .next = next});
    case PatternNode::Kind::kEnd:
      return Add({.kind = Kind::kEnd, .next = next});
    case PatternNode::Kind::kSomewhere:
      return Add({.kind = Kind::kSomewhere, .next = next});
  }
  return next;
}

int PatternAutomaton::BuildRepeat(const PatternNode& node, int next) {
  const PatternNode& child = node.children.front();
  if (node.most == PatternNode::kEndless) {
    const int loop = Add({.kind = Kind::kSplit, .other = next});
    const int again = Build(child, loop);
    states_[static_cast<size_t>(loop)].next = again;
    next = loop;
  } else {
    const int after = next;
    for (int i = node.least; i < node.most && !too_large_; ++i) {
      next = Add({.kind = Kind::kSplit, .next = Build(child, next), .other = after});
    }
  }
  for (int i = 0; i < node.least && !too_large_; ++i) next = Build(child, next);
  return next;
}

bool PatternAutomaton::Passes(Kind kind, Here here, Reading reading) const {
  switch (kind) {
    case Kind::kSplit:
      return true;
    case Kind::kBegin:
      return here.begin;
    case Kind::kEnd:
      return here.end;
    case Kind::kSomewhere:
      return reading == Reading::kMay;
    case Kind::kCharacters:
    case Kind::kMatch:
      return false;
  }
  return false;
}

void PatternAutomaton::Enter(int state, Here here, Reading reading, std::vector<bool>& entered) const {
  std::vector<int> pending = {state};
  while (!pending.empty()) {
    const int current = pending.back();
    pending.pop_back();
    if (current < 0 || entered[static_cast<size_t>(current)]) continue;
    entered[static_cast<size_t>(current)] = true;
    const State& entry = states_[static_cast<size_t>(current)];
    if (!Passes(entry.kind, here, reading)) continue;
    pending.push_back(entry.next);
    pending.push_back(entry.other);
  }
}

// Only what waits for something: for a character, for the end. A match makes everything else meaningless.
PatternAutomaton::States PatternAutomaton::Settled(const std::vector<bool>& entered) const {
  if (entered[static_cast<size_t>(match_)]) return {match_};
  States states;
  for (size_t i = 0; i < entered.size(); ++i) {
    const bool waits = states_[i].kind == Kind::kCharacters || states_[i].kind == Kind::kEnd;
    if (entered[i] && waits) states.push_back(static_cast<int>(i));
  }
  return states;
}

PatternAutomaton::States PatternAutomaton::Start(Reading reading) const {
  std::vector<bool> entered(states_.size());
  Enter(start_, {.begin = true, .end = false}, reading, entered);
  return Settled(entered);
}

PatternAutomaton::States PatternAutomaton::Step(const States& states, uint32_t character, Reading reading) const {
  if (Matched(states)) return states;
  constexpr Here kInside = {.begin = false, .end = false};
  std::vector<bool> entered(states_.size());
  for (const int state : states) {
    const State& entry = states_[static_cast<size_t>(state)];
    if (entry.kind != Kind::kCharacters || !characters_[entry.characters].Contains(character, reading)) continue;
    Enter(entry.next, kInside, reading, entered);
  }
  Enter(start_, kInside, reading, entered);  // a match may begin anywhere
  return Settled(entered);
}

bool PatternAutomaton::Matched(const States& states) const { return states.size() == 1 && states.front() == match_; }

bool PatternAutomaton::MatchedAtEnd(const States& states, Reading reading) const {
  if (Matched(states)) return true;
  std::vector<bool> entered(states_.size());
  for (const int state : states) {
    const State& entry = states_[static_cast<size_t>(state)];
    if (entry.kind == Kind::kEnd) Enter(entry.next, {.begin = false, .end = true}, reading, entered);
  }
  return entered[static_cast<size_t>(match_)];
}

}  // namespace mirrorfs
