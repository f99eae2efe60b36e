// The files that the client has open. Each pins its descriptor, so that it works on when its names are gone.
#ifndef MIRRORFS_PROTOS_ROOTFS_DESCRIPTOR_TABLE_H_
#define MIRRORFS_PROTOS_ROOTFS_DESCRIPTOR_TABLE_H_

#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "protos/rootfs/fd_cache.h"
#include "protos/shared/file_types.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

struct OpenDescriptor {
  SharedFd fd;
  NodeId node = NodeId::kInvalid;
  OpenFlags flags;
  uint64_t device = 0;
  std::shared_ptr<void> place;  // RootedFilesystemOptions::admit_open_file
};

// Thread-safe; no call blocks.
class DescriptorTable {
 public:
  bool Contains(HandleId handle) const;
  // False if the handle is in use.
  bool Add(HandleId handle, OpenDescriptor file);
  // EBADF if there is no such handle, ESTALE if it was lost with an earlier agent.
  absl::StatusOr<OpenDescriptor> Find(HandleId handle) const;
  std::optional<OpenDescriptor> Remove(HandleId handle);
  void MarkLost(HandleId handle);

  // A descriptor of one of the node's handles; null if it has none.
  SharedFd FdOfNode(NodeId node) const;

 private:
  mutable Mutex mutex_;
  absl::flat_hash_map<uint64_t, OpenDescriptor> files_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, absl::InlinedVector<uint64_t, 2>> by_node_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<uint64_t> lost_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_DESCRIPTOR_TABLE_H_
