#include "protos/rootfs/range_set.h"

namespace mirrorfs {
namespace {

bool Overlaps(const LockRange& a, const LockRange& b) { return a.start <= b.end && b.start <= a.end; }

}  // namespace

void RangeSet::Apply(const LockRange& lock) {
  std::vector<LockRange> result;
  for (const LockRange& held : ranges_) {
    if (!Overlaps(held, lock)) {
      result.push_back(held);
      continue;
    }
    if (held.start < lock.start) {
      result.push_back(held);
      result.back().end = lock.start - 1;
    }
    if (held.end > lock.end) {
      result.push_back(held);
      result.back().start = lock.end + 1;
    }
  }
  if (lock.type != LockType::kUnlock) result.push_back(lock);
  ranges_ = std::move(result);
}

std::optional<LockRange> RangeSet::Overlapping(const LockRange& lock) const {
  for (const LockRange& held : ranges_) {
    if (Overlaps(held, lock)) return held;
  }
  return std::nullopt;
}

}  // namespace mirrorfs
