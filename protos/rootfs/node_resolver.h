// From a node id to a descriptor of that very file.
#ifndef MIRRORFS_PROTOS_ROOTFS_NODE_RESOLVER_H_
#define MIRRORFS_PROTOS_ROOTFS_NODE_RESOLVER_H_

#include <string>

#include "absl/status/statusor.h"
#include "protos/rootfs/descriptor_table.h"
#include "protos/rootfs/fd_cache.h"
#include "protos/rootfs/file_inspector.h"
#include "protos/rootfs/node_table.h"
#include "protos/shared/ids.h"

namespace mirrorfs {

// Takes the descriptor that the cache or an open handle has; else walks from the nearest directory that has one, one
// name at a time, and compares each file's identity. Doubt is ESTALE. Walks with the agent's own rights: call it
// outside of ActingAs. Thread-safe. What it is made of outlives it.
class NodeResolver {
 public:
  NodeResolver(SharedFd root, FileInspector& inspector, const NodeTable& nodes, const DescriptorTable& handles,
               FdCache& cache)
      : root_(std::move(root)), inspector_(inspector), nodes_(nodes), handles_(handles), cache_(cache) {}

  // The descriptor may be O_PATH or an open handle's.
  absl::StatusOr<SharedFd> Resolve(NodeId node);

  // Opens one name beneath a directory, O_PATH. When descriptors run out the cache is given up for it.
  absl::StatusOr<SharedFd> OpenPath(int directory, const std::string& name);

 private:
  struct Step {
    NodeId node;
    std::string name;
    std::string identity;
  };

  SharedFd Held(NodeId node);
  absl::StatusOr<SharedFd> Walk(const Alias& alias, const Step& last);
  absl::StatusOr<SharedFd> TakeStep(const SharedFd& directory, const Step& step);

  const SharedFd root_;
  FileInspector& inspector_;
  const NodeTable& nodes_;
  const DescriptorTable& handles_;
  FdCache& cache_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_NODE_RESOLVER_H_
