#include "protos/rootfs/node_table.h"

#include <algorithm>
#include <cstring>

namespace mirrorfs {
namespace {

// More names of one file than that are not remembered: the latest ones are the likeliest to be there still.
constexpr size_t kMostAliases = 8;

// Whatever a client says, as many ids as nobody can use up are left below its own half.
constexpr uint64_t kHighestWanted = kClientNodeBit / 2;

bool IsClientId(NodeId node) { return (ToNumber(node) & kClientNodeBit) != 0; }

}  // namespace

NodeTable::NodeTable(std::string root_identity) {
  MutexLock lock(mutex_);
  Insert(NodeId::kRoot, std::move(root_identity))->references = 1;
}

NodeTable::Node* NodeTable::Get(NodeId node) const {
  const auto found = nodes_.find(ToNumber(node));
  return found == nodes_.end() ? nullptr : found->second.get();
}

std::string NodeTable::KeyOf(NodeId parent, std::string_view name, const std::string& identity) {
  if (!DecodeIdentity(identity)->per_name) return identity;
  // identity, parent, name, and how long the last two are: IdentityOf takes it apart again.
  const uint64_t directory = ToNumber(parent);
  const uint16_t appended = static_cast<uint16_t>(sizeof(directory) + name.size());
  std::string key;
  key.reserve(identity.size() + appended + sizeof(appended));
  key.append(identity);
  key.append(reinterpret_cast<const char*>(&directory), sizeof(directory));
  key.append(name);
  key.append(reinterpret_cast<const char*>(&appended), sizeof(appended));
  return key;
}

std::string_view NodeTable::IdentityOf(std::string_view key) {
  if (!DecodeIdentity(key)->per_name) return key;
  uint16_t appended = 0;
  std::memcpy(&appended, key.data() + key.size() - sizeof(appended), sizeof(appended));
  return key.substr(0, key.size() - sizeof(appended) - appended);
}

NodeTable::Node* NodeTable::Insert(NodeId id, std::string key) {
  auto node = std::make_unique<Node>();
  node->id = id;
  node->key = std::move(key);
  Node* inserted = node.get();
  nodes_.emplace(ToNumber(id), std::move(node));
  by_identity_.insert(inserted);
  return inserted;
}

NodeId NodeTable::ChooseId(NodeId proposed) {
  if (IsClientId(proposed) && Get(proposed) == nullptr) return proposed;
  return NodeId{next_id_++};
}

void NodeTable::PutAliasFirst(Node& node, NodeId parent, std::string_view name) {
  auto same = std::find_if(node.aliases.begin(), node.aliases.end(),
                           [&](const Alias& alias) { return alias.parent == parent && alias.name == name; });
  if (same != node.aliases.end()) {
    std::rotate(node.aliases.begin(), same, same + 1);
    return;
  }
  Node* directory = Get(parent);
  if (directory == nullptr || directory == &node) return;
  ++directory->holders;
  // A directory has one name: the others are stale.
  const bool one_name = DecodeIdentity(node.key)->type == FileType::kDirectory;
  DropAliases(node, one_name ? 0 : kMostAliases - 1);
  node.aliases.insert(node.aliases.begin(), Alias{parent, std::string(name)});
}

void NodeTable::DropAliases(Node& node, size_t kept) {
  std::vector<NodeId> removed;
  ++node.references;  // stale aliases can form circles
  while (node.aliases.size() > kept) {
    Node* parent = Get(node.aliases.back().parent);
    node.aliases.pop_back();
    if (parent == nullptr) continue;
    --parent->holders;
    RemoveUnheld(parent, removed);
  }
  --node.references;
}

NodeId NodeTable::Register(NodeId parent, std::string_view name, const std::string& identity, NodeId proposed) {
  MutexLock lock(mutex_);
  std::string key = KeyOf(parent, name, identity);
  const auto found = by_identity_.find(std::string_view(key));
  Node* node = found != by_identity_.end() ? *found : Insert(ChooseId(proposed), std::move(key));
  ++node->references;
  if (node->id != NodeId::kRoot) PutAliasFirst(*node, parent, name);
  return node->id;
}

std::string NodeTable::LinkTarget(std::string_view identity) const {
  MutexLock lock(mutex_);
  const auto found = by_identity_.find(identity);
  if (found == by_identity_.end() || (*found)->link_target == nullptr) return {};
  return *(*found)->link_target;
}

void NodeTable::NoteLinkTarget(NodeId node, const std::string& target) {
  auto noted = std::make_unique<const std::string>(target);
  MutexLock lock(mutex_);
  if (Node* found = Get(node); found != nullptr && found->link_target == nullptr) found->link_target = std::move(noted);
}

bool NodeTable::Adopt(NodeId id, NodeId parent, std::string_view name, const std::string& identity,
                      uint64_t references) {
  MutexLock lock(mutex_);
  if (id == NodeId::kInvalid || Get(id) != nullptr) return false;
  Node* node = Insert(id, KeyOf(parent, name, identity));
  node->references = references;
  PutAliasFirst(*node, parent, name);
  RaiseNextId(ToNumber(id) + 1);
  return true;
}

void NodeTable::GiveOutFrom(NodeId first) {
  MutexLock lock(mutex_);
  RaiseNextId(ToNumber(first));
}

void NodeTable::RaiseNextId(uint64_t wanted) {
  if (wanted <= kHighestWanted) next_id_ = std::max(next_id_, wanted);
}

std::optional<NodeSnapshot> NodeTable::Find(NodeId node) const {
  MutexLock lock(mutex_);
  const Node* found = Get(node);
  if (found == nullptr) return std::nullopt;
  return NodeSnapshot{std::string(IdentityOf(found->key)), {found->aliases.begin(), found->aliases.end()}};
}

std::optional<IdentityFacts> NodeTable::Facts(NodeId node) const {
  MutexLock lock(mutex_);
  const Node* found = Get(node);
  if (found == nullptr || found->references == 0) return std::nullopt;
  return DecodeIdentity(found->key);
}

NodeId NodeTable::FindFile(NodeId parent, std::string_view name, const std::string& identity) const {
  const std::string key = KeyOf(parent, name, identity);
  MutexLock lock(mutex_);
  const auto found = by_identity_.find(std::string_view(key));
  return found == by_identity_.end() ? NodeId::kInvalid : (*found)->id;
}

void NodeTable::AddAlias(NodeId node, NodeId parent, std::string_view name) {
  MutexLock lock(mutex_);
  Node* found = Get(node);
  if (found != nullptr && node != NodeId::kRoot) PutAliasFirst(*found, parent, name);
}

void NodeTable::RemoveAlias(NodeId node, NodeId parent, std::string_view name) {
  MutexLock lock(mutex_);
  Node* found = Get(node);
  if (found == nullptr) return;
  auto same = std::find_if(found->aliases.begin(), found->aliases.end(),
                           [&](const Alias& alias) { return alias.parent == parent && alias.name == name; });
  if (same == found->aliases.end()) return;
  std::rotate(same, same + 1, found->aliases.end());
  DropAliases(*found, found->aliases.size() - 1);
}

void NodeTable::ChangeIdentity(NodeId node, const std::string& identity) {
  MutexLock lock(mutex_);
  Node* found = Get(node);
  if (found == nullptr || IdentityOf(found->key) == identity) return;
  const auto indexed = by_identity_.find(found);
  if (indexed != by_identity_.end() && *indexed == found) by_identity_.erase(indexed);
  const Alias seen = found->aliases.empty() ? Alias() : found->aliases.front();
  found->key = KeyOf(seen.parent, seen.name, identity);
  by_identity_.insert(found);
}

bool NodeTable::Pin(NodeId node) {
  MutexLock lock(mutex_);
  Node* found = Get(node);
  if (found == nullptr) return false;
  ++found->holders;
  return true;
}

std::vector<NodeId> NodeTable::Unpin(NodeId node) {
  std::vector<NodeId> removed;
  MutexLock lock(mutex_);
  Node* found = Get(node);
  if (found == nullptr) return removed;
  --found->holders;
  RemoveUnheld(found, removed);
  return removed;
}

std::vector<NodeId> NodeTable::Forget(NodeId node, uint64_t count) {
  std::vector<NodeId> removed;
  MutexLock lock(mutex_);
  Node* found = Get(node);
  if (found == nullptr || node == NodeId::kRoot) return removed;
  found->references -= std::min(found->references, count);
  RemoveUnheld(found, removed);
  return removed;
}

void NodeTable::RemoveUnheld(Node* node, std::vector<NodeId>& removed) {
  std::vector<Node*> candidates = {node};
  while (!candidates.empty()) {
    Node* candidate = candidates.back();
    candidates.pop_back();
    if (candidate->references != 0 || candidate->holders != 0) continue;
    for (const Alias& alias : candidate->aliases) {
      Node* parent = Get(alias.parent);
      if (parent != nullptr && --parent->holders == 0 && parent->references == 0) candidates.push_back(parent);
    }
    const auto indexed = by_identity_.find(candidate);
    if (indexed != by_identity_.end() && *indexed == candidate) by_identity_.erase(indexed);
    removed.push_back(candidate->id);
    nodes_.erase(ToNumber(candidate->id));
  }
}

size_t NodeTable::size() const {
  MutexLock lock(mutex_);
  return nodes_.size();
}

}  // namespace mirrorfs
