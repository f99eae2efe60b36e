#include "protos/rootfs/descriptor_table.h"

#include <algorithm>
#include <cerrno>

#include "protos/shared/errno_status.h"

namespace mirrorfs {

bool DescriptorTable::Contains(HandleId handle) const {
  MutexLock lock(mutex_);
  return files_.contains(ToNumber(handle)) || lost_.contains(ToNumber(handle));
}

bool DescriptorTable::Add(HandleId handle, OpenDescriptor file) {
  MutexLock lock(mutex_);
  const NodeId node = file.node;
  if (lost_.contains(ToNumber(handle)) || !files_.emplace(ToNumber(handle), std::move(file)).second) return false;
  by_node_[ToNumber(node)].push_back(ToNumber(handle));
  return true;
}

absl::StatusOr<OpenDescriptor> DescriptorTable::Find(HandleId handle) const {
  MutexLock lock(mutex_);
  const auto found = files_.find(ToNumber(handle));
  if (found != files_.end()) return found->second;
  return ErrnoStatus(lost_.contains(ToNumber(handle)) ? ESTALE : EBADF);
}

std::optional<OpenDescriptor> DescriptorTable::Remove(HandleId handle) {
  MutexLock lock(mutex_);
  lost_.erase(ToNumber(handle));
  const auto found = files_.find(ToNumber(handle));
  if (found == files_.end()) return std::nullopt;
  OpenDescriptor file = std::move(found->second);
  files_.erase(found);
  const auto handles = by_node_.find(ToNumber(file.node));
  auto& list = handles->second;
  list.erase(std::find(list.begin(), list.end(), ToNumber(handle)));
  if (list.empty()) by_node_.erase(handles);
  return file;
}

void DescriptorTable::MarkLost(HandleId handle) {
  MutexLock lock(mutex_);
  if (!files_.contains(ToNumber(handle))) lost_.insert(ToNumber(handle));
}

SharedFd DescriptorTable::FdOfNode(NodeId node) const {
  MutexLock lock(mutex_);
  const auto handles = by_node_.find(ToNumber(node));
  if (handles == by_node_.end()) return nullptr;
  return files_.find(handles->second.front())->second.fd;
}

}  // namespace mirrorfs
