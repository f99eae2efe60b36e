#include "protos/policy/character_set.h"

#include <algorithm>
#include <utility>

namespace mirrorfs {
namespace {

constexpr uint32_t kLastAscii = 0x7F;
constexpr uint32_t kLast = 0x10FFFF;
constexpr uint32_t kLongS = 0x17F;
constexpr uint32_t kKelvinSign = 0x212A;
constexpr uint32_t kOtherCase = 'a' - 'A';

}  // namespace

CharacterSet CharacterSet::Any() {
  CharacterSet set;
  set.may_ = set.must_ = {{0, kLast}};
  return set;
}

void CharacterSet::AddOtherCase(uint32_t first, uint32_t last, Ranges& ranges) {
  const auto add = [&](uint32_t begin, uint32_t end, int64_t shift) {
    const uint32_t from = std::max(first, begin);
    const uint32_t to = std::min(last, end);
    if (from <= to) ranges.push_back({static_cast<uint32_t>(from + shift), static_cast<uint32_t>(to + shift)});
  };
  add('A', 'Z', kOtherCase);
  add('a', 'z', -static_cast<int64_t>(kOtherCase));
  const auto holds = [&](uint32_t character) { return first <= character && character <= last; };
  if (holds('k') || holds('K')) ranges.push_back({kKelvinSign, kKelvinSign});
  if (holds('s') || holds('S')) ranges.push_back({kLongS, kLongS});
}

// Beyond ASCII it is not looked into what folds to what.
void CharacterSet::AddWhatMayFold(uint32_t first, uint32_t last) {
  AddOtherCase(first, last, may_);
  if (last <= kLastAscii) return;
  may_.push_back({kLastAscii + 1, kLast});
  for (const uint32_t letter : {0x4Bu, 0x6Bu, 0x53u, 0x73u}) may_.push_back({letter, letter});  // K, k, S, s
}

void CharacterSet::Add(uint32_t first, uint32_t last) {
  AddPlain(first, last);
  AddOtherCase(first, last, must_);
}

void CharacterSet::AddPlain(uint32_t first, uint32_t last) {
  may_.push_back({first, last});
  must_.push_back({first, last});
  AddWhatMayFold(first, last);
}

void CharacterSet::AddAll(const CharacterSet& other) {
  may_.insert(may_.end(), other.may_.begin(), other.may_.end());
  must_.insert(must_.end(), other.must_.begin(), other.must_.end());
}

void CharacterSet::Negate(Ranges& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  Ranges gaps;
  uint32_t next = 0;
  for (const Range& range : ranges) {
    if (range.first > next) gaps.push_back({next, range.first - 1});
    next = std::max(next, range.last + 1);
  }
  if (next <= kLast) gaps.push_back({next, kLast});
  ranges = std::move(gaps);
}

// What surely is not in it may not be, and the other way round.
void CharacterSet::Negate() {
  Negate(may_);
  Negate(must_);
  std::swap(may_, must_);
}

bool CharacterSet::Contains(const Ranges& ranges, uint32_t character) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return range.first <= character && character <= range.last; });
}

bool CharacterSet::Contains(uint32_t character, Reading reading) const {
  return Contains(reading == Reading::kMay ? may_ : must_, character);
}

std::vector<uint32_t> CharacterSet::Edges() const {
  std::vector<uint32_t> edges;
  for (const Ranges* ranges : {&may_, &must_}) {
    for (const Range& range : *ranges) {
      edges.push_back(range.first);
      if (range.last < kLast) edges.push_back(range.last + 1);
    }
  }
  return edges;
}

}  // namespace mirrorfs
