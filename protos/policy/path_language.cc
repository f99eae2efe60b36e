#include "protos/policy/path_language.h"

#include <algorithm>
#include <map>
#include <set>
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

  friend auto operator<=>(const Place&, const Place&) = default;
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
  for (const auto& [key, representative] : groups) representatives.push_back(representative);
  return representatives;
}

// Looks for a path that `own` may match and none of `others` surely does.
class Search {
 public:
  Search(const PatternAutomaton& own, std::vector<const PatternAutomaton*> others)
      : own_(own), others_(std::move(others)), characters_(Representatives(own, others_)) {}

  bool MayFindFrom(Place start) {
    Visit(std::move(start));
    while (!pending_.empty() && !found_) {
      steps_ += characters_.size() * (1 + others_.size());
      if (steps_ > kMostSteps) return true;
      const Place* place = pending_.back();
      pending_.pop_back();
      for (const uint32_t character : characters_) Visit(After(*place, character));
    }
    return found_;
  }

  Place Start() const {
    Place place{.path = PathState::kStart, .own = own_.Start(Reading::kMay), .others = {}};
    for (const PatternAutomaton* other : others_) place.others.push_back(other->Start(Reading::kMust));
    return place;
  }

  Place After(const Place& place, uint32_t character) const {
    Place after{.path = Next(place.path, character), .own = {}, .others = {}};
    if (after.path == PathState::kWrong) return after;
    after.own = own_.Step(place.own, character, Reading::kMay);
    for (size_t i = 0; i < others_.size(); ++i) {
      after.others.push_back(others_[i]->Step(place.others[i], character, Reading::kMust));
    }
    return after;
  }

 private:
  void Visit(Place place) {
    if (place.path == PathState::kWrong || place.own.empty()) return;
    for (size_t i = 0; i < place.others.size(); ++i) {
      if (others_[i]->Matched(place.others[i])) return;
    }
    if (IsPath(place.path) && own_.MatchedAtEnd(place.own, Reading::kMay) && !AnotherMatches(place)) found_ = true;
    const auto [entry, fresh] = seen_.insert(std::move(place));
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
  std::set<Place> seen_;
  std::vector<const Place*> pending_;
  size_t steps_ = 0;
  bool found_ = false;
};

// After reading the directory and the slash that ends it.
States StatesBelow(const PatternAutomaton& automaton, std::string_view directory, Reading reading) {
  States states = automaton.Start(reading);
  while (!directory.empty() && !states.empty()) {
    states = automaton.Step(states, TakeCharacter(directory), reading);
  }
  return states;
}

std::string WithSlash(std::string_view directory) {
  return directory.ends_with('/') ? std::string(directory) : std::string(directory) + "/";
}

}  // namespace

PatternLanguage::PatternLanguage(std::string_view normalized_pattern)
    : automaton_(PatternAutomaton::Of(normalized_pattern)) {
  if (!automaton_) return;
  Search anything(*automaton_, {});
  may_match_anything_ = anything.MayFindFrom(anything.Start());
  // The states in which every match begins once the beginning of the path is behind: they are there below any
  // directory.
  Search below(*automaton_, {});
  const States fresh = automaton_->Step({}, '/', Reading::kMay);
  may_match_below_any_ = below.MayFindFrom({.path = PathState::kSlash, .own = fresh, .others = {}});
}

bool PatternLanguage::MayMatchBelow(std::string_view directory) const {
  if (!automaton_ || may_match_below_any_) return may_match_anything_;
  States states = StatesBelow(*automaton_, WithSlash(directory), Reading::kMay);
  if (states.empty()) return false;
  return Search(*automaton_, {}).MayFindFrom({.path = PathState::kSlash, .own = std::move(states), .others = {}});
}

bool PatternLanguage::MatchesAllBelow(std::string_view directory) const {
  return automaton_ && automaton_->Matched(StatesBelow(*automaton_, WithSlash(directory), Reading::kMust));
}

bool PatternLanguage::CoveredBy(absl::Span<const PatternLanguage* const> others) const {
  if (!automaton_) return false;
  std::vector<const PatternAutomaton*> understood;
  for (const PatternLanguage* other : others) {
    if (other->automaton_) understood.push_back(&*other->automaton_);
  }
  if (understood.empty()) return false;
  Search search(*automaton_, std::move(understood));
  return !search.MayFindFrom(search.Start());
}

}  // namespace mirrorfs
