#include "fusefs/view/view_table.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace mirrorfs {
namespace {

bool IsClientId(NodeId node) { return (ToNumber(node) & kClientNodeBit) != 0; }

// Without a reference of its own, which could turn out to be the last one where that must not happen.
bool Same(const std::weak_ptr<ViewNode>& known, const ViewNodePtr& node) {
  return !known.owner_before(node) && !node.owner_before(known);
}

}  // namespace

ViewTable::ViewTable(Sides sides, PathDecision root_decision, Side root_side) : sides_(sides) {
  root_ = std::make_shared<ViewNode>(NodeId::kRoot, FileType::kDirectory, root_decision, root_side);
}

ViewTable::~ViewTable() {
  absl::flat_hash_map<NodeId, Given> last;
  {
    MutexLock lock(mutex_);
    last.swap(given_);
  }
}

ViewNodePtr ViewTable::Find(NodeId node) const {
  if (node == NodeId::kRoot) return root_;
  MutexLock lock(mutex_);
  const auto found = given_.find(node);
  return found == given_.end() ? nullptr : found->second.node;
}

ViewKey ViewTable::KeyOf(const ViewNode& node, Side side, NodeId inner) {
  ViewKey key{.side = side, .inner = inner, .outcome = node.decision().side, .writes = node.decision().writes};
  if (!node.IsDirectory()) return key;
  if (const auto name = node.LatestName()) {
    key.parent = name->parent->id();
    key.name = name->name;
  }
  return key;
}

NodeId ViewTable::ChooseId(NodeId proposed) {
  if (IsClientId(proposed) && !keys_.contains(proposed)) return proposed;
  return NodeId{next_id_++};
}

ViewNodePtr ViewTable::FindOrMake(const Finding& finding, NodeId proposed) {
  const bool directory = finding.entry.attributes.type == FileType::kDirectory;
  const ViewKey key{.side = finding.side,
                    .inner = finding.entry.node,
                    .outcome = finding.decision.side,
                    .writes = finding.decision.writes,
                    .parent = directory ? finding.parent->id() : NodeId::kInvalid,
                    .name = directory ? finding.name : std::string()};
  ViewNodePtr node;  // outside the lock: it may turn out to be the last reference
  MutexLock lock(mutex_);
  std::weak_ptr<ViewNode>& known = by_key_[key];
  node = known.lock();
  if (node != nullptr) return node;
  const NodeId id = ChooseId(proposed);
  node = ViewNodePtr(new ViewNode(id, finding.entry.attributes.type, finding.decision, finding.side),
                     [this](ViewNode* dying) { Destroy(dying); });
  known = node;
  keys_[id].push_back(key);
  return node;
}

ViewNodePtr ViewTable::Adopt(const Finding& finding, NodeId proposed) {
  ViewNodePtr node = FindOrMake(finding, proposed);
  if (!node->AddCounterpart(finding.side, finding.entry.node, std::chrono::steady_clock::now())) {
    GiveBack(finding.side, finding.entry.node);
  }
  AddName(node, finding.parent, finding.name);
  return node;
}

void ViewTable::AddCounterpart(const ViewNodePtr& node, Side side, const Entry& entry) {
  if (!node->AddCounterpart(side, entry.node, std::chrono::steady_clock::now())) return GiveBack(side, entry.node);
  const ViewKey key = KeyOf(*node, side, entry.node);
  MutexLock lock(mutex_);
  by_key_[key] = node;
  keys_[node->id()].push_back(key);
}

void ViewTable::Destroy(ViewNode* dying) {
  const std::unique_ptr<ViewNode> node(dying);
  const std::vector<ViewNode::Name> names = node->TakeNames();  // parents are let go outside the lock
  {
    MutexLock lock(mutex_);
    if (const auto keys = keys_.find(node->id()); keys != keys_.end()) {
      for (const ViewKey& key : keys->second) {
        const auto found = by_key_.find(key);
        // The file may have been found again meanwhile, as a new node.
        if (found != by_key_.end() && found->second.expired()) by_key_.erase(found);
      }
      keys_.erase(keys);
    }
    for (const ViewNode::Name& name : names) {
      const auto found = by_name_.find(NameKey(name.parent->id(), name.name));
      if (found != by_name_.end() && found->second.expired()) by_name_.erase(found);
    }
  }
  for (const Side side : {Side::kContainer, Side::kLocal, Side::kLayer}) {
    const Counterpart part = node->TakeCounterpart(side);
    if (part.references != 0) GiveBack(side, part.node, part.references);
  }
}

void ViewTable::GiveBack(Side side, NodeId inner, uint64_t references) const {
  const ForgottenNode forgotten{inner, references};
  if (FileSystem* files = On(side); files != nullptr) files->Forget({&forgotten, 1});
}

ViewNodePtr ViewTable::Under(const ViewNodePtr& parent, std::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = by_name_.find(NameKey(parent->id(), std::string(name)));
  return found == by_name_.end() ? nullptr : found->second.lock();
}

void ViewTable::AddName(const ViewNodePtr& node, const ViewNodePtr& parent, std::string_view name) {
  node->AddName(parent, name);
  MutexLock lock(mutex_);
  by_name_[NameKey(parent->id(), std::string(name))] = node;
}

void ViewTable::RemoveName(const ViewNodePtr& node, const ViewNodePtr& parent, std::string_view name) {
  node->RemoveName(parent.get(), name);
  MutexLock lock(mutex_);
  const auto found = by_name_.find(NameKey(parent->id(), std::string(name)));
  if (found != by_name_.end() && Same(found->second, node)) by_name_.erase(found);
}

void ViewTable::MoveName(const ViewNodePtr& node, const ViewNodePtr& parent, std::string_view name,
                         const ViewNodePtr& new_parent, std::string_view new_name) {
  node->AddName(new_parent, new_name);
  if (!node->IsDirectory()) node->RemoveName(parent.get(), name);
  Reindex(node, new_parent, new_name);
  MutexLock lock(mutex_);
  const auto found = by_name_.find(NameKey(parent->id(), std::string(name)));
  if (found != by_name_.end() && Same(found->second, node)) by_name_.erase(found);
  by_name_[NameKey(new_parent->id(), std::string(new_name))] = node;
}

// A directory is found by its place, too.
void ViewTable::Reindex(const ViewNodePtr& node, const ViewNodePtr& parent, std::string_view name) {
  if (!node->IsDirectory()) return;
  MutexLock lock(mutex_);
  for (ViewKey& key : keys_[node->id()]) {
    const auto found = by_key_.find(key);
    if (found != by_key_.end() && Same(found->second, node)) by_key_.erase(found);
    key.parent = parent->id();
    key.name = std::string(name);
    by_key_[key] = node;
  }
}

void ViewTable::GiveOut(const ViewNodePtr& node) {
  if (node == root_) return;
  MutexLock lock(mutex_);
  Given& given = given_[node->id()];
  given.node = node;
  ++given.references;
}

void ViewTable::Forget(NodeId node, uint64_t count) {
  ViewNodePtr last;  // let go outside the lock
  MutexLock lock(mutex_);
  const auto found = given_.find(node);
  if (found == given_.end()) return;
  found->second.references -= std::min(found->second.references, count);
  if (found->second.references != 0) return;
  last = std::move(found->second.node);
  given_.erase(found);
}

}  // namespace mirrorfs
