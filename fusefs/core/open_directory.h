// An open directory: a listing that the kernel walks by offsets. Offset n is "after the n-th name"; "." and ".." are
// the first two.
#ifndef MIRRORFS_FUSEFS_CORE_OPEN_DIRECTORY_H_
#define MIRRORFS_FUSEFS_CORE_OPEN_DIRECTORY_H_

#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "fusefs/core/inode.h"
#include "fusefs/core/listing.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// One page of a directory, at its place in the whole.
struct DirectoryPart {
  uint64_t first = 0;  // index of its first name
  ListingPtr listing;
  DirCursor next = DirCursor::kEnd;  // where the agent goes on
};

// Only one part is held, so that a directory of any size can be walked.
struct OpenDirectory {
  explicit OpenDirectory(InodePtr inode) : inode(std::move(inode)) {}
  const InodePtr inode;

  // Held while a page is fetched: the kernel reads one open directory from one thread at a time anyway.
  Mutex walking;
  // The part that was read last; a walk back to an earlier one begins anew.
  DirectoryPart part ABSL_GUARDED_BY(walking);
  bool walked ABSL_GUARDED_BY(walking) = false;  // a read from the start is then a rewinddir
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_OPEN_DIRECTORY_H_
