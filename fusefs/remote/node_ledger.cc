#include "fusefs/remote/node_ledger.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace mirrorfs {
namespace {

// A name in a directory, as a key.
using Place = std::pair<NodeId, std::string>;

// Puts nodes behind their parents and leaves out those without a way to the root.
std::vector<LedgerNode> ParentsFirst(std::vector<LedgerNode> nodes) {
  absl::flat_hash_map<NodeId, std::vector<size_t>> children;
  for (size_t i = 0; i < nodes.size(); ++i) children[nodes[i].parent].push_back(i);
  std::vector<LedgerNode> sorted;
  sorted.reserve(nodes.size());
  std::vector<NodeId> parents = {NodeId::kRoot};
  while (!parents.empty()) {
    const NodeId parent = parents.back();
    parents.pop_back();
    auto found = children.find(parent);
    if (found == children.end()) continue;
    for (size_t i : found->second) {
      parents.push_back(nodes[i].node);
      sorted.push_back(std::move(nodes[i]));
    }
    children.erase(found);
  }
  return sorted;
}

}  // namespace

bool NodeLedger::Learn(Generation generation, const Entry& entry, NodeId parent, std::string_view name) {
  const uint64_t stamp = RenameStamp();
  Shard& shard = ShardOf(entry.node);
  MutexLock lock(shard.mutex);
  if (shard.generation != generation) return false;
  Record& record = shard.records[entry.node];
  record.parent = parent;
  record.name_size = static_cast<uint32_t>(name.size());
  record.rename_stamp = stamp;
  record.name_and_identity.clear();
  record.name_and_identity.reserve(name.size() + entry.identity.size());
  record.name_and_identity.append(name).append(entry.identity);
  if (record.count < std::numeric_limits<uint32_t>::max()) ++record.count;
  return true;
}

Generation NodeLedger::Forget(const ForgottenNode& node) {
  Shard& shard = ShardOf(node.node);
  MutexLock lock(shard.mutex);
  auto found = shard.records.find(node.node);
  if (found != shard.records.end()) {
    Record& record = found->second;
    record.count -= static_cast<uint32_t>(std::min<uint64_t>(node.count, record.count));
    if (record.count == 0) shard.records.erase(found);
  }
  return shard.generation;
}

void NodeLedger::Renamed(NodeId parent, std::string_view name, NodeId new_parent, std::string_view new_name,
                         RenameMode mode) {
  bool full = false;
  {
    MutexLock lock(moves_mutex_);
    moves_.push_back({parent, std::string(name), new_parent, std::string(new_name), mode});
    full = moves_.size() >= kMostRenames;
  }
  if (full) ApplyMoves();
}

uint64_t NodeLedger::RenameStamp() const {
  MutexLock lock(moves_mutex_);
  return moves_before_ + moves_.size();
}

std::vector<NodeLedger::Move> NodeLedger::TakeMoves(uint64_t& first_stamp) {
  MutexLock lock(moves_mutex_);
  first_stamp = moves_before_;
  moves_before_ += moves_.size();
  return std::exchange(moves_, {});
}

void NodeLedger::ApplyMoves() {
  uint64_t stamp = 0;
  const std::vector<Move> moves = TakeMoves(stamp);
  if (moves.empty()) return;
  struct Located {
    NodeId node;
    uint64_t stamp;
  };
  absl::flat_hash_map<Place, std::vector<Located>> places;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    for (const auto& [node, record] : shard.records) {
      places[{record.parent, record.name_and_identity.substr(0, record.name_size)}].push_back(
          {node, record.rename_stamp});
    }
  }
  absl::flat_hash_map<NodeId, Place> moved;
  const auto take = [&](const Place& place) {  // the nodes that were seen there before the move
    std::vector<Located> taken;
    auto found = places.find(place);
    if (found == places.end()) return taken;
    std::vector<Located> later;
    for (const Located& located : found->second) (located.stamp <= stamp ? taken : later).push_back(located);
    found->second = std::move(later);
    return taken;
  };
  const auto put = [&](const std::vector<Located>& nodes, const Place& place) {
    for (const Located& located : nodes) {
      places[place].push_back(located);
      moved[located.node] = place;
    }
  };
  for (const Move& move : moves) {
    const Place from{move.parent, move.name};
    const Place to{move.new_parent, move.new_name};
    const std::vector<Located> nodes = take(from);
    if (move.mode == RenameMode::kExchange) put(take(to), from);
    put(nodes, to);
    ++stamp;
  }
  for (const auto& [node, place] : moved) {
    Shard& shard = ShardOf(node);
    MutexLock lock(shard.mutex);
    auto found = shard.records.find(node);
    if (found == shard.records.end() || found->second.rename_stamp >= stamp) continue;
    Record& record = found->second;
    record.parent = place.first;
    record.name_and_identity = place.second + record.name_and_identity.substr(record.name_size);
    record.name_size = static_cast<uint32_t>(place.second.size());
  }
}

std::vector<LedgerNode> NodeLedger::Snapshot(Generation next) {
  ApplyMoves();
  std::vector<LedgerNode> nodes;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    shard.generation = next;
    for (const auto& [node, record] : shard.records) {
      nodes.push_back({node, record.parent, record.name_and_identity.substr(0, record.name_size),
                       record.name_and_identity.substr(record.name_size), record.count});
    }
  }
  return ParentsFirst(std::move(nodes));
}

NodeId NodeLedger::Abandon(Generation next) {
  uint64_t stamp = 0;
  TakeMoves(stamp);
  uint64_t last = ToNumber(NodeId::kRoot);
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    shard.generation = next;
    for (const auto& [node, record] : shard.records) {
      if ((ToNumber(node) & kClientNodeBit) == 0) last = std::max(last, ToNumber(node));
    }
    shard.records.clear();
  }
  return NodeId{last + 1};
}

size_t NodeLedger::Size() const {
  size_t size = 0;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    size += shard.records.size();
  }
  return size;
}

}  // namespace mirrorfs
