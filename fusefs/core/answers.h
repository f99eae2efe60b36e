// What the core tells the kernel edge. Plain values; ids and link sizes are already as the mount shows them.
#ifndef MIRRORFS_FUSEFS_CORE_ANSWERS_H_
#define MIRRORFS_FUSEFS_CORE_ANSWERS_H_

#include "absl/time/time.h"
#include "protos/shared/file_types.h"
#include "protos/shared/ids.h"

namespace mirrorfs {

struct AttrAnswer {
  Attributes attributes;
  absl::Duration attr_timeout;
};

// One lookup count of the node goes with it: whoever cannot deliver it calls FilesystemCore::Forget(node, 1).
struct EntryAnswer {
  NodeId node = NodeId::kInvalid;  // kInvalid: the name does not exist, and that may be cached
  Attributes attributes;
  absl::Duration attr_timeout;
  absl::Duration entry_timeout;
};

struct OpenAnswer {
  HandleId handle = HandleId::kNone;
  bool keep_cache = false;  // the kernel's pages of the file are still right
};

struct CreateAnswer {
  EntryAnswer entry;
  OpenAnswer open;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_ANSWERS_H_
