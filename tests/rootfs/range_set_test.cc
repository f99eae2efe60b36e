#include "protos/rootfs/range_set.h"

#include <gtest/gtest.h>

#include <string>

namespace mirrorfs {
namespace {

LockRange Range(LockType type, uint64_t start, uint64_t end = kLockToEndOfFile) { return {type, start, end, 7}; }

// "r0-9 w20-" in the order of their starts.
std::string Show(const RangeSet& set) {
  std::vector<LockRange> ranges = set.ranges();
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
  std::string text;
  for (const LockRange& range : ranges) {
    if (!text.empty()) text += ' ';
    text += (range.type == LockType::kRead ? 'r' : 'w') + std::to_string(range.start) + '-';
    if (range.end != kLockToEndOfFile) text += std::to_string(range.end);
  }
  return text;
}

TEST(RangeSet, ANewLockReplacesWhatItOverlaps) {
  RangeSet set;
  set.Apply(Range(LockType::kRead, 0, 99));
  set.Apply(Range(LockType::kWrite, 10, 19));
  EXPECT_EQ(Show(set), "r0-9 w10-19 r20-99");
  set.Apply(Range(LockType::kUnlock, 5, 14));
  EXPECT_EQ(Show(set), "r0-4 w15-19 r20-99");
  set.Apply(Range(LockType::kWrite, 0));
  EXPECT_EQ(Show(set), "w0-");
}

TEST(RangeSet, UnlockingTheMiddleAndTheEnd) {
  RangeSet set;
  set.Apply(Range(LockType::kWrite, 0));
  set.Apply(Range(LockType::kUnlock, 10, 10));
  EXPECT_EQ(Show(set), "w0-9 w11-");
  set.Apply(Range(LockType::kUnlock, 0));
  EXPECT_TRUE(set.empty());
}

TEST(RangeSet, FindsWhatOverlaps) {
  RangeSet set;
  set.Apply(Range(LockType::kRead, 10, 19));
  EXPECT_FALSE(set.Overlapping(Range(LockType::kRead, 0, 9)).has_value());
  EXPECT_FALSE(set.Overlapping(Range(LockType::kRead, 20)).has_value());
  ASSERT_TRUE(set.Overlapping(Range(LockType::kRead, 19)).has_value());
  EXPECT_EQ(set.Overlapping(Range(LockType::kRead, 19))->pid, 7u);
}

}  // namespace
}  // namespace mirrorfs
