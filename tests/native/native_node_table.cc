#include "tests/native/native_node_table.h"

#include <sys/stat.h>

#include <cerrno>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

std::pair<dev_t, ino_t> KeyOf(int fd) {
  struct stat status = {};
  if (fstat(fd, &status) != 0) return {0, 0};
  return {status.st_dev, status.st_ino};
}

}  // namespace

NativeNodeTable::NativeNodeTable(UniqueFd root) {
  const auto key = KeyOf(root.get());
  MutexLock lock(mutex_);
  nodes_[NodeId::kRoot] = {std::make_shared<NativeNode>(NodeId::kRoot, std::move(root), key), 1};
  by_file_[key] = NodeId::kRoot;
}

absl::StatusOr<std::shared_ptr<const NativeNode>> NativeNodeTable::Add(UniqueFd fd, NodeId proposed) {
  const auto key = KeyOf(fd.get());
  if (key.second == 0) return LastErrno("fstat");
  MutexLock lock(mutex_);
  if (auto known = by_file_.find(key); known != by_file_.end()) {
    Held& held = nodes_[known->second];
    ++held.references;
    return held.node;
  }
  const bool use_proposed = proposed != NodeId::kInvalid && !nodes_.contains(proposed);
  const NodeId id = use_proposed ? proposed : NodeId{next_++};
  Held& held = nodes_[id];
  held = {std::make_shared<NativeNode>(id, std::move(fd), key), 1};
  by_file_[key] = id;
  return held.node;
}

absl::StatusOr<std::shared_ptr<const NativeNode>> NativeNodeTable::Find(NodeId id) const {
  MutexLock lock(mutex_);
  auto found = nodes_.find(id);
  if (found == nodes_.end()) return ErrnoStatus(ESTALE);
  return found->second.node;
}

void NativeNodeTable::Forget(NodeId id, uint64_t count) {
  std::shared_ptr<const NativeNode> dropped;  // closed after the lock is given up
  MutexLock lock(mutex_);
  auto found = nodes_.find(id);
  if (id == NodeId::kRoot || found == nodes_.end()) return;
  Held& held = found->second;
  if (held.references > count) {
    held.references -= count;
    return;
  }
  dropped = held.node;
  by_file_.erase(dropped->key);
  nodes_.erase(found);
}

}  // namespace mirrorfs
