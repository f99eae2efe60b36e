#include "fusefs/core/inode_table.h"

#include <array>
#include <utility>
#include <vector>

namespace mirrorfs {

InodeTable::InodeTable(FileSystem& files, const Entry& root) : files_(files) {
  root_ = FindOrMake(NodeId::kRoot, FileType::kDirectory);
  root_->SetNumber(root.attributes.inode);
}

InodeTable::~InodeTable() {
  absl::flat_hash_map<NodeId, Record> last;
  {
    MutexLock lock(mutex_);
    last.swap(records_);
  }
}

InodePtr InodeTable::FindOrMake(NodeId node, FileType type) {
  InodePtr inode;  // outside the lock: it may turn out to be the last reference
  MutexLock lock(mutex_);
  std::weak_ptr<Inode>& known = records_[node].inode;
  inode = known.lock();
  if (inode == nullptr) {
    inode = InodePtr(new Inode(node, type), [this](Inode* dying) { Destroy(dying); });
    known = inode;
  }
  return inode;
}

void InodeTable::Destroy(Inode* inode) {
  const std::unique_ptr<Inode> owned(inode);
  const NodeId node = inode->node();
  {
    MutexLock lock(mutex_);
    const auto found = records_.find(node);
    // The node may have come back meanwhile, as a new inode with references of its own.
    if (found != records_.end() && found->second.inode.expired()) records_.erase(found);
  }
  const std::array<ForgottenNode, 1> forgotten = {{{node, inode->wire_references_.load()}}};
  if (forgotten[0].count != 0) files_.Forget(forgotten);
}

InodePtr InodeTable::Adopt(const Entry& entry, const InodePtr& parent) {
  InodePtr inode = FindOrMake(entry.node, entry.attributes.type);
  if (entry.node != NodeId::kRoot) inode->wire_references_.fetch_add(1);
  if (inode->type() != entry.attributes.type) return nullptr;
  inode->SetNumber(entry.attributes.inode);
  if (!entry.link_target.empty()) inode->SetLinkTarget(entry.link_target);
  if (parent != nullptr && inode != parent && inode != root_) inode->SetParent(parent);
  return inode;
}

InodePtr InodeTable::Find(NodeId node) const {
  if (node == NodeId::kRoot) return root_;
  MutexLock lock(mutex_);
  const auto found = records_.find(node);
  return found == records_.end() ? nullptr : found->second.kernel_reference;
}

void InodeTable::AddLookup(const InodePtr& inode) {
  if (inode == root_) return;
  MutexLock lock(mutex_);
  Record& record = records_[inode->node()];
  if (record.lookups++ == 0) record.kernel_reference = inode;
}

void InodeTable::Forget(NodeId node, uint64_t count) {
  InodePtr last;  // let go outside the lock
  MutexLock lock(mutex_);
  const auto found = records_.find(node);
  if (found == records_.end()) return;
  Record& record = found->second;
  record.lookups -= std::min(record.lookups, count);
  if (record.lookups == 0) last.swap(record.kernel_reference);
}

size_t InodeTable::Size() const {
  MutexLock lock(mutex_);
  return records_.size();
}

}  // namespace mirrorfs
