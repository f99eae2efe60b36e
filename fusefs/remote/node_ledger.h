// What a new agent must be told about the nodes that the daemon holds: where each was last seen, who it is, and how
// many references there are. About 100 bytes a node.
#ifndef MIRRORFS_FUSEFS_REMOTE_NODE_LEDGER_H_
#define MIRRORFS_FUSEFS_REMOTE_NODE_LEDGER_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "fusefs/remote/generation.h"
#include "protos/shared/file_types.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

struct LedgerNode {
  NodeId node = NodeId::kInvalid;
  NodeId parent = NodeId::kInvalid;
  std::string name;
  std::string identity;
  uint64_t count = 0;
};

// Thread-safe. Its locks are innermost; there are several, so that calls hardly meet.
class NodeLedger {
 public:
  // One more reference. False, and nothing learned, if the answer is from another session than the present one.
  bool Learn(Generation generation, const Entry& entry, NodeId parent, std::string_view name);
  // Takes references off; returns the session that they are to be given back to.
  Generation Forget(const ForgottenNode& node);
  // A name was moved. Which node it belongs to is found out when it is needed.
  void Renamed(NodeId parent, std::string_view name, NodeId new_parent, std::string_view new_name, RenameMode mode);

  // All nodes that can be reached from the root, parents before children, for the session `next`, which is the present
  // one from now on.
  std::vector<LedgerNode> Snapshot(Generation next);
  // Nothing of it is there any more: the session `next`, which is the present one from now on, is about another root.
  // Returns an id above all of them that agents have given out.
  NodeId Abandon(Generation next);
  size_t Size() const;

 private:
  static constexpr size_t kShards = 16;
  // Renames that are remembered before they are applied to all nodes at once.
  static constexpr size_t kMostRenames = 16384;

  struct Record {
    NodeId parent = NodeId::kInvalid;
    uint32_t name_size = 0;
    uint32_t count = 0;
    uint64_t rename_stamp = 0;  // renames after this one may concern it
    std::string name_and_identity;
  };
  struct Shard {
    mutable Mutex mutex;
    Generation generation ABSL_GUARDED_BY(mutex) = Generation::kFirst;
    absl::flat_hash_map<NodeId, Record> records ABSL_GUARDED_BY(mutex);
  };
  struct Move {
    NodeId parent;
    std::string name;
    NodeId new_parent;
    std::string new_name;
    RenameMode mode;
  };

  Shard& ShardOf(NodeId node) { return shards_[(ToNumber(node) * 0x9e3779b97f4a7c15u) >> 60]; }
  uint64_t RenameStamp() const;
  std::vector<Move> TakeMoves(uint64_t& first_stamp);
  void ApplyMoves();

  std::array<Shard, kShards> shards_;
  mutable Mutex moves_mutex_;
  std::vector<Move> moves_ ABSL_GUARDED_BY(moves_mutex_);
  uint64_t moves_before_ ABSL_GUARDED_BY(moves_mutex_) = 0;  // those that are applied
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_NODE_LEDGER_H_
