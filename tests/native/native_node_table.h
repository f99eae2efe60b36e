// The nodes of a NativeFileSystem: ids and the descriptors that hold what they name.
#ifndef MIRRORFS_TESTS_NATIVE_NATIVE_NODE_TABLE_H_
#define MIRRORFS_TESTS_NATIVE_NATIVE_NODE_TABLE_H_

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// A node, held by an O_PATH descriptor: the kernel keeps its identity whatever becomes of its names.
class NativeNode {
 public:
  NativeNode(NodeId id, UniqueFd fd, std::pair<dev_t, ino_t> key) : id(id), fd(std::move(fd)), key(key) {}
  // A path that leads to the node itself, also where it is a symbolic link.
  std::string Path() const { return "/proc/self/fd/" + std::to_string(fd.get()); }

  const NodeId id;
  const UniqueFd fd;
  const std::pair<dev_t, ino_t> key;
};

// Thread-safe. One file is one node, however many names it has.
class NativeNodeTable {
 public:
  // `root` is an O_PATH descriptor and becomes NodeId::kRoot, which is never forgotten.
  explicit NativeNodeTable(UniqueFd root);

  // The node of what `fd` (O_PATH) holds, with one reference more. `proposed` is used if the file is new here.
  absl::StatusOr<std::shared_ptr<const NativeNode>> Add(UniqueFd fd, NodeId proposed);
  // ESTALE if there is none.
  absl::StatusOr<std::shared_ptr<const NativeNode>> Find(NodeId id) const;
  void Forget(NodeId id, uint64_t count);

 private:
  struct Held {
    std::shared_ptr<const NativeNode> node;
    uint64_t references = 0;
  };
  mutable Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = ToNumber(NodeId::kRoot) + 1;
  std::map<NodeId, Held> nodes_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<dev_t, ino_t>, NodeId> by_file_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_NATIVE_NATIVE_NODE_TABLE_H_
