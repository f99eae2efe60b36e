// The nodes that a session's client knows: what they are, where they were last seen, how often they were given out.
#ifndef MIRRORFS_PROTOS_ROOTFS_NODE_TABLE_H_
#define MIRRORFS_PROTOS_ROOTFS_NODE_TABLE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "protos/rootfs/file_identity.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// A name that a node had. Only a hint where to look: the file found there is compared with the node's identity.
struct Alias {
  NodeId parent = NodeId::kInvalid;
  std::string name;

  bool operator==(const Alias&) const = default;
};

// A copy of what is known about a node.
struct NodeSnapshot {
  std::string identity;
  std::vector<Alias> aliases;  // latest first
};

// One node is one file (one identity): hard links are aliases of it, unless each name is a file of its own
// (IdentityFacts::per_name). A node lives while it has references or open
// handles, or while nodes that are found through it do. About 230 bytes a node. Thread-safe; no call blocks.
class NodeTable {
 public:
  // The root cannot be forgotten.
  explicit NodeTable(std::string root_identity);

  // The node of this file, with one more reference and this alias first. A new node gets the id `proposed` if that is
  // a client's id and free.
  NodeId Register(NodeId parent, std::string_view name, const std::string& identity,
                  NodeId proposed = NodeId::kInvalid);

  // Takes over a node that an earlier agent gave out. False if the id is in use.
  bool Adopt(NodeId node, NodeId parent, std::string_view name, const std::string& identity, uint64_t references);
  // New nodes get ids from this one on, unless it is one that no agent has given out.
  void GiveOutFrom(NodeId first);

  // Also of a node that the client has forgotten, as long as others are found through it.
  std::optional<NodeSnapshot> Find(NodeId node) const;
  // Nothing for a node that the client has forgotten.
  std::optional<IdentityFacts> Facts(NodeId node) const;
  // The node of a file seen under this name; kInvalid if there is none.
  NodeId FindFile(NodeId parent, std::string_view name, const std::string& identity) const;

  // What the symbolic link with this identity says, if that was noted: it never changes, and asking the link would
  // change its access time. Empty: not known.
  std::string LinkTarget(std::string_view identity) const;
  void NoteLinkTarget(NodeId node, const std::string& target);

  void AddAlias(NodeId node, NodeId parent, std::string_view name);
  void RemoveAlias(NodeId node, NodeId parent, std::string_view name);
  // The file is the same but looks different since we changed it (overlay's copy-up).
  void ChangeIdentity(NodeId node, const std::string& identity);

  // An open handle keeps what is known about its node, though the client may forget it. False if there is no such node.
  bool Pin(NodeId node);
  // These give back references and pins, and return the nodes that are gone by that.
  std::vector<NodeId> Forget(NodeId node, uint64_t count);
  std::vector<NodeId> Unpin(NodeId node);

  size_t size() const;

 private:
  struct Node {
    NodeId id = NodeId::kInvalid;
    uint64_t references = 0;
    uint64_t holders = 0;  // aliases of other nodes that name this one as parent, and open handles
    absl::InlinedVector<Alias, 1> aliases;
    std::string key;  // KeyOf(where it was seen first, identity)
    std::unique_ptr<const std::string> link_target;
  };
  struct IdentityHash {
    using is_transparent = void;
    size_t operator()(std::string_view identity) const {
      return absl::Hash<absl::string_view>()(absl::string_view(identity.data(), identity.size()));
    }
    size_t operator()(const Node* node) const { return (*this)(std::string_view(node->key)); }
  };
  struct IdentityEqual {
    using is_transparent = void;
    static std::string_view Of(std::string_view identity) { return identity; }
    static std::string_view Of(const Node* node) { return node->key; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Of(a) == Of(b);
    }
  };

  Node* Get(NodeId node) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What nodes are told apart by: the identity, and the name where each name is a file of its own.
  static std::string KeyOf(NodeId parent, std::string_view name, const std::string& identity);
  static std::string_view IdentityOf(std::string_view key);
  Node* Insert(NodeId id, std::string key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  NodeId ChooseId(NodeId proposed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RaiseNextId(uint64_t wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PutAliasFirst(Node& node, NodeId parent, std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Drops the last aliases, so that `kept` remain.
  void DropAliases(Node& node, size_t kept) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Removes the node if nothing holds it, and then its parents that were only held by it.
  void RemoveUnheld(Node* node, std::vector<NodeId>& removed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Node>> nodes_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<Node*, IdentityHash, IdentityEqual> by_identity_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = ToNumber(NodeId::kRoot) + 1;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_NODE_TABLE_H_
