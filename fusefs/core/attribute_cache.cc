#include "fusefs/core/attribute_cache.h"

namespace mirrorfs {

std::optional<AttributeCache::Known> AttributeCache::Find(const Inode& inode) const {
  MutexLock lock(mutex_);
  const auto found = known_.find(inode.node());
  if (found == known_.end()) return std::nullopt;
  const Known& known = found->second;
  const bool outdated = inode.ChangedSince(known.right_from) || inode.ForgottenSince(known.right_from) ||
                        DroppedSince(known.right_from) || inode.pending_writes()->Any();
  if (outdated || !Fresh(known, Now())) return std::nullopt;
  return known;
}

void AttributeCache::Keep(const Inode& inode, const Known& known) {
  if (!Fresh(known, Now())) return;
  MutexLock lock(mutex_);
  if (known_.size() >= kMost && !known_.contains(inode.node())) known_.clear();
  Known& slot = known_[inode.node()];
  if (slot.right_from <= known.right_from) slot = known;
}

void AttributeCache::DropOld() {
  const Instant now = Now();
  MutexLock lock(mutex_);
  absl::erase_if(known_, [&](const auto& entry) { return !Fresh(entry.second, now); });
}

}  // namespace mirrorfs
