// Which bytes of a file one owner has locked, and how.
#ifndef MIRRORFS_PROTOS_ROOTFS_RANGE_SET_H_
#define MIRRORFS_PROTOS_ROOTFS_RANGE_SET_H_

#include <optional>
#include <vector>

#include "protos/shared/file_types.h"

namespace mirrorfs {

// As fcntl(2) has it: a new lock replaces what it overlaps. Not thread-safe.
class RangeSet {
 public:
  void Apply(const LockRange& lock);
  bool empty() const { return ranges_.empty(); }
  const std::vector<LockRange>& ranges() const { return ranges_; }
  // One that has bytes in common with `lock`.
  std::optional<LockRange> Overlapping(const LockRange& lock) const;

 private:
  std::vector<LockRange> ranges_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_RANGE_SET_H_
