#include "protos/policy/path_language.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "protos/policy/match_text.h"

namespace mirrorfs {
namespace {

using States = PatternAutomaton::States;

constexpr size_t kMostSteps = 100'000;  // a search that needs more ends with the careful answer

// What a path looks like: components that are not empty, "." or "..", and no slash at the end.
enum class PathState : uint8_t { kStart, kRoot, kSlash, kDot, kTwoDots, kName, kWrong };

PathState Next(PathState state, uint32_t character) {
  if (character == 0 || state == PathState::kWrong) return PathState::kWrong;
  const bool slash = character == '/';
  if (state == PathState::kStart) return slash ? PathState::kRoot : PathState::kWrong;
  if (slash) return state == PathState::kName ? PathState::kSlash : PathState::kWrong;
  const bool fresh = state == PathState::kRoot || state == PathState::kSlash;
  if (character == '.' && fresh) return PathState::kDot;
  if (character == '.' && state == PathState::kDot) return PathState::kTwoDots;
  return PathState::kName;
}

bool IsPath(PathState state) { return state == PathState::kRoot || state == PathState::kName; }

// A place in the search: what has been read, as far as it matters.
struct Place {
  PathState path;
  States own;
  std::vector<States> others;

  friend bool operator<(const Place& a, const Place& b) {
    return std::tie(a.path, a.own, a.others) < std::tie(b.path, b.own, b.others);
  }
};

// One character for each group that no set and no rule about paths tells apart.
std::vector<uint32_t> Representatives(const PatternAutomaton& own, const std::vector<const PatternAutomaton*>& others) {
  std::vector<const CharacterSet*> sets;
  for (const CharacterSet& set : own.characters()) sets.push_back(&set);
  for (const PatternAutomaton* other : others) {
    for (const CharacterSet& set : other->characters()) sets.push_back(&set);
  }
  std::set<uint32_t> candidates = {'/', '/' + 1, '.', '.' + 1, 1};
  for (const CharacterSet* set : sets) {
    for (const uint32_t edge : set->Edges()) candidates.insert(edge);
  }
  std::map<std::vector<bool>, uint32_t> groups;
  for (const uint32_t candidate : candidates) {
    if (candidate == 0) continue;
    std::vector<bool> key = {candidate == '/', candidate == '.'};
    for (const CharacterSet* set : sets) {
      key.push_back(set->Contains(candidate, Reading::kMay));
      key.push_back(set->Contains(candidate, Reading::kMust));
    }
    groups.emplace(std::move(key), candidate);
  }
  std::vector<uint32_t> representatives;
  representatives.reserve(groups.size());
  for (const auto& [key, representative] : groups) representatives.push_back(representative);
  return representatives;
}

// Looks for the shortest text after which the path is one that `own` may match and none of `others` surely does.
class Search {
 public:
  Search(const PatternAutomaton& own, std::vector<const PatternAutomaton*> others)
      : own_(own), others_(std::move(others)), characters_(Representatives(own, others_)) {}

  // Nothing if there is none, or if the search has become too long.
  std::optional<std::string> Find(Place start) {
    Visit(std::move(start), "");
    for (; !pending_.empty() && !found_; pending_.pop_front()) {
      steps_ += characters_.size() * (1 + others_.size());
      if (steps_ > kMostSteps) {
        gave_up_ = true;
        break;
      }
      const auto& [place, text] = *pending_.front();
      for (const uint32_t character : characters_) Visit(After(place, character), text, character);
    }
    return found_;
  }

  bool MayFind(Place start) { return Find(std::move(start)).has_value() || gave_up_; }
  bool gave_up() const { return gave_up_; }

  Place Start() const {
    Place place{.path = PathState::kStart, .own = own_.Start(Reading::kMay), .others = {}};
    for (const PatternAutomaton* other : others_) place.others.push_back(other->Start(Reading::kMust));
    return place;
  }

 private:
  using Seen = std::map<Place, std::string>;  // with the first text that has led there

  Place After(const Place& place, uint32_t character) const {
    Place after{.path = Next(place.path, character), .own = {}, .others = {}};
    if (after.path == PathState::kWrong) return after;
    after.own = own_.Step(place.own, character, Reading::kMay);
    for (size_t i = 0; i < others_.size(); ++i) {
      after.others.push_back(others_[i]->Step(place.others[i], character, Reading::kMust));
    }
    return after;
  }

  void Visit(Place place, std::string text, uint32_t character = 0) {
    if (found_ || place.path == PathState::kWrong || place.own.empty()) return;
    for (size_t i = 0; i < place.others.size(); ++i) {
      if (others_[i]->Matched(place.others[i])) return;
    }
    if (character != 0) AppendCharacter(character, text);
    if (IsPath(place.path) && own_.MatchedAtEnd(place.own, Reading::kMay) && !AnotherMatches(place)) found_ = text;
    const auto [entry, fresh] = seen_.try_emplace(std::move(place), std::move(text));
    if (fresh) pending_.push_back(&*entry);
  }

  bool AnotherMatches(const Place& place) const {
    for (size_t i = 0; i < others_.size(); ++i) {
      if (others_[i]->MatchedAtEnd(place.others[i], Reading::kMust)) return true;
    }
    return false;
  }

  const PatternAutomaton& own_;
  const std::vector<const PatternAutomaton*> others_;
  const std::vector<uint32_t> characters_;
  Seen seen_;
  std::deque<const Seen::value_type*> pending_;
  size_t steps_ = 0;
  std::optional<std::string> found_;
  bool gave_up_ = false;
};

States StatesAfter(const PatternAutomaton& automaton, std::string_view text, Reading reading) {
  States states = automaton.Start(reading);
  while (!text.empty() && !states.empty()) states = automaton.Step(states, TakeCharacter(text), reading);
  return states;
}

bool SurelyMatches(const PatternAutomaton& automaton, std::string_view path) {
  return automaton.MatchedAtEnd(StatesAfter(automaton, path, Reading::kMust), Reading::kMust);
}

std::string WithSlash(std::string_view directory) {
  return directory.ends_with('/') ? std::string(directory) : std::string(directory) + "/";
}

}  // namespace

PatternLanguage::PatternLanguage(std::string_view normalized_pattern)
    : automaton_(PatternAutomaton::Of(normalized_pattern)) {
  if (!automaton_) return;
  Search anything(*automaton_, {});
  shortest_ = anything.Find(anything.Start());
  may_match_anything_ = shortest_.has_value() || anything.gave_up();
  // The states in which every match begins once the beginning of the path is behind: they are there below any
  // directory.
  const States fresh = automaton_->Step({}, '/', Reading::kMay);
  may_match_below_any_ = Search(*automaton_, {}).MayFind({.path = PathState::kSlash, .own = fresh, .others = {}});
}

bool PatternLanguage::MayMatchBelow(std::string_view directory) const {
  if (!automaton_ || may_match_below_any_) return may_match_anything_;
  States states = StatesAfter(*automaton_, WithSlash(directory), Reading::kMay);
  if (states.empty()) return false;
  return Search(*automaton_, {}).MayFind({.path = PathState::kSlash, .own = std::move(states), .others = {}});
}

bool PatternLanguage::MatchesAllBelow(std::string_view directory) const {
  return automaton_ && automaton_->Matched(StatesAfter(*automaton_, WithSlash(directory), Reading::kMust));
}

bool PatternLanguage::CoveredBy(absl::Span<const PatternLanguage* const> others) const {
  if (!automaton_) return false;
  std::vector<const PatternAutomaton*> understood;
  for (const PatternLanguage* other : others) {
    if (other->automaton_) understood.push_back(&*other->automaton_);
  }
  // One path that the others leave is enough, and mostly the shortest is one.
  const bool shortest_taken = shortest_ && std::any_of(understood.begin(), understood.end(), [&](const auto* other) {
                                return SurelyMatches(*other, *shortest_);
                              });
  if (!shortest_taken) return false;
  Search search(*automaton_, std::move(understood));
  return !search.MayFind(search.Start());
}

}  // namespace mirrorfs
