#include "protos/rootfs/fd_cache.h"

namespace mirrorfs {

// In each function that removes, `closing` outlives the lock: close(2) may wait for the file system.

void FdCache::Remove(Items::iterator item, Items& closing) {
  by_node_.erase(ToNumber(item->node));
  closing.splice(closing.end(), items_, item);
}

SharedFd FdCache::Find(NodeId node) {
  MutexLock lock(mutex_);
  const auto found = by_node_.find(ToNumber(node));
  if (found == by_node_.end()) return nullptr;
  items_.splice(items_.begin(), items_, found->second);
  found->second->used = Clock::now();
  return found->second->fd;
}

void FdCache::Put(NodeId node, SharedFd fd) {
  Items closing;
  MutexLock lock(mutex_);
  const auto found = by_node_.find(ToNumber(node));
  if (found != by_node_.end()) Remove(found->second, closing);
  items_.push_front({node, std::move(fd), Clock::now()});
  by_node_[ToNumber(node)] = items_.begin();
  while (items_.size() > capacity_) Remove(std::prev(items_.end()), closing);
}

void FdCache::Erase(absl::Span<const NodeId> nodes) {
  Items closing;
  MutexLock lock(mutex_);
  for (NodeId node : nodes) {
    const auto found = by_node_.find(ToNumber(node));
    if (found != by_node_.end()) Remove(found->second, closing);
  }
}

void FdCache::Clear() {
  Items closing;
  MutexLock lock(mutex_);
  by_node_.clear();
  closing.swap(items_);
}

void FdCache::EraseUnusedSince(Clock::time_point time) {
  Items closing;
  MutexLock lock(mutex_);
  while (!items_.empty() && items_.back().used < time) Remove(std::prev(items_.end()), closing);
}

size_t FdCache::size() const {
  MutexLock lock(mutex_);
  return items_.size();
}

}  // namespace mirrorfs
