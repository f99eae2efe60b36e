// All nodes of a view that anybody refers to: the client by references, children by their parents, open handles.
#ifndef MIRRORFS_FUSEFS_VIEW_VIEW_TABLE_H_
#define MIRRORFS_FUSEFS_VIEW_VIEW_TABLE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "fusefs/view/view_node.h"
#include "protos/shared/file_system.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// What makes two findings one node: the same file of a side under the same outcome of the policy. A directory also has
// one place, so that a mapping cannot make one directory of two (the kernel would not have it).
struct ViewKey {
  Side side = Side::kContainer;
  NodeId inner = NodeId::kInvalid;
  PathSide outcome = PathSide::kContainer;
  WritesGo writes = WritesGo::kContainer;
  NodeId parent = NodeId::kInvalid;  // of directories
  std::string name;                  // of directories

  bool operator==(const ViewKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H state, const ViewKey& key) {
    return H::combine(std::move(state), Index(key.side), ToNumber(key.inner), static_cast<int>(key.outcome),
                      static_cast<int>(key.writes), ToNumber(key.parent), key.name);
  }
};

// Where something was found.
struct Finding {
  Side side = Side::kContainer;
  Entry entry;  // with a reference to the inner node
  PathDecision decision;
  ViewNodePtr parent;
  std::string name;
};

// Thread-safe. Outlives every ViewNodePtr that it gave out.
class ViewTable {
 public:
  using Sides = std::array<FileSystem*, kSideCount>;  // null: the view has no such side

  ViewTable(Sides sides, PathDecision root_decision, Side root_side);
  ~ViewTable();
  ViewTable(const ViewTable&) = delete;
  ViewTable& operator=(const ViewTable&) = delete;

  const ViewNodePtr& Root() const { return root_; }
  FileSystem* On(Side side) const { return sides_[Index(side)]; }

  // Null unless the client has references to it.
  ViewNodePtr Find(NodeId node) const;

  // The node of what was found; takes over the inner reference. A new node gets the id `proposed` if that is a client's
  // id and free. Not given out yet.
  ViewNodePtr Adopt(const Finding& finding, NodeId proposed = NodeId::kInvalid);
  // The node is found on that side, too, from now on (and takes over the reference).
  void AddCounterpart(const ViewNodePtr& node, Side side, const Entry& entry);
  // The node that was seen last under the name, if it is still known.
  ViewNodePtr Under(const ViewNodePtr& parent, std::string_view name) const;

  void AddName(const ViewNodePtr& node, const ViewNodePtr& parent, std::string_view name);
  void RemoveName(const ViewNodePtr& node, const ViewNodePtr& parent, std::string_view name);
  void MoveName(const ViewNodePtr& node, const ViewNodePtr& parent, std::string_view name,
                const ViewNodePtr& new_parent, std::string_view new_name);

  // One more reference of the client's.
  void GiveOut(const ViewNodePtr& node);
  void Forget(NodeId node, uint64_t count);

  // Gives inner references back.
  void GiveBack(Side side, NodeId inner, uint64_t references = 1) const;

 private:
  struct Given {
    ViewNodePtr node;
    uint64_t references = 0;
  };
  using NameKey = std::pair<NodeId, std::string>;

  static ViewKey KeyOf(const ViewNode& node, Side side, NodeId inner);
  NodeId ChooseId(NodeId proposed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  ViewNodePtr FindOrMake(const Finding& finding, NodeId proposed);
  void Destroy(ViewNode* node);
  void Reindex(const ViewNodePtr& node, const ViewNodePtr& parent, std::string_view name);

  const Sides sides_;
  mutable Mutex mutex_;
  absl::flat_hash_map<NodeId, Given> given_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<ViewKey, std::weak_ptr<ViewNode>> by_key_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<NodeId, std::vector<ViewKey>> keys_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<NameKey, std::weak_ptr<ViewNode>> by_name_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = ToNumber(NodeId::kRoot) + 1;
  ViewNodePtr root_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_VIEW_TABLE_H_
