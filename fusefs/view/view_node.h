// A node of the view: a file as it is seen under one decision of the policy, with what it is on each side.
#ifndef MIRRORFS_FUSEFS_VIEW_VIEW_NODE_H_
#define MIRRORFS_FUSEFS_VIEW_VIEW_NODE_H_

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "fusefs/view/gate.h"
#include "protos/layer/layer_record.h"
#include "protos/policy/path_policy.h"
#include "protos/shared/file_types.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// The file systems that a view is composed of.
enum class Side : uint8_t { kContainer, kLocal, kLayer };
inline constexpr size_t kSideCount = 3;
inline constexpr size_t Index(Side side) { return static_cast<size_t>(side); }

// "/a" and "b": "/a/b".
inline std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory == "/" ? "" : directory);
  return path.append("/").append(name);
}

using SteadyTime = std::chrono::steady_clock::time_point;

// What a node is on one side.
struct Counterpart {
  enum class State : uint8_t { kUnknown, kAbsent, kPresent };
  State state = State::kUnknown;
  NodeId node = NodeId::kInvalid;
  uint64_t references = 0;  // received, to be given back
  SteadyTime found_at;
};

// Thread-safe. Nothing is called under its mutex.
class ViewNode {
 public:
  struct Name {
    std::shared_ptr<ViewNode> parent;
    std::string name;
  };

  // `primary`: the side that it was found on. For a directory that only leads to files of another side this is not the
  // side that `decision` names.
  ViewNode(NodeId id, FileType type, PathDecision decision, Side primary)
      : id_(id), type_(type), decision_(decision), primary_(primary) {}

  NodeId id() const { return id_; }
  FileType type() const { return type_; }
  bool IsDirectory() const { return type_ == FileType::kDirectory; }
  const PathDecision& decision() const { return decision_; }
  Side primary() const { return primary_; }
  bool WritesGoToLayer() const { return decision_.writes == WritesGo::kLayer; }

  // The side that answers for it now.
  Side Serving() const {
    if (!WritesGoToLayer()) return primary_;
    MutexLock lock(mutex_);
    return parts_[Index(Side::kLayer)].state == Counterpart::State::kPresent ? Side::kLayer : primary_;
  }

  // --- Counterparts
  Counterpart On(Side side) const {
    MutexLock lock(mutex_);
    return parts_[Index(side)];
  }
  // One more reference to the inner node. False if it is another one than before: the caller gives this one back.
  bool AddCounterpart(Side side, NodeId node, SteadyTime now) {
    MutexLock lock(mutex_);
    Counterpart& part = parts_[Index(side)];
    if (part.state == Counterpart::State::kPresent && part.node != node) return false;
    part = {Counterpart::State::kPresent, node, part.references + 1, now};
    return true;
  }
  void NoteAbsent(Side side, SteadyTime now) {
    MutexLock lock(mutex_);
    Counterpart& part = parts_[Index(side)];
    if (part.state != Counterpart::State::kPresent) part = {Counterpart::State::kAbsent, NodeId::kInvalid, 0, now};
  }
  // Forgets what was known; the references that it had are the caller's to give back.
  Counterpart TakeCounterpart(Side side) {
    MutexLock lock(mutex_);
    return std::exchange(parts_[Index(side)], Counterpart{});
  }

  // --- Names. A directory has one.
  void AddName(const std::shared_ptr<ViewNode>& parent, std::string_view name) {
    std::vector<Name> replaced;  // let go outside the lock
    MutexLock lock(mutex_);
    if (IsDirectory()) replaced.swap(names_);
    const auto same = FindName(parent.get(), name);
    if (same != names_.end()) {
      std::rotate(same, same + 1, names_.end());
    } else {
      names_.push_back({parent, std::string(name)});
    }
  }
  void RemoveName(const ViewNode* parent, std::string_view name) {
    Name removed;
    MutexLock lock(mutex_);
    const auto same = FindName(parent, name);
    if (same == names_.end()) return;
    removed = std::move(*same);
    names_.erase(same);
  }
  std::vector<Name> TakeNames() {
    MutexLock lock(mutex_);
    return std::exchange(names_, {});
  }
  // All that have been seen, and have not been seen to go.
  std::vector<Name> Names() const {
    MutexLock lock(mutex_);
    return names_;
  }
  // The one that was seen last.
  std::optional<Name> LatestName() const {
    MutexLock lock(mutex_);
    if (names_.empty()) return std::nullopt;
    return names_.back();
  }

  // --- The layer's record of it, once it is in the layer
  LayerRecord Record() const {
    MutexLock lock(mutex_);
    return record_;
  }
  void SetRecord(const LayerRecord& record) {
    MutexLock lock(mutex_);
    record_ = record;
  }

  // Names of the container's file that the layer hides: they still count there.
  void CountHiddenName() {
    MutexLock lock(mutex_);
    ++hidden_names_;
  }
  uint32_t HiddenNames() const {
    MutexLock lock(mutex_);
    return hidden_names_;
  }

  // --- Open handles
  void AddHandle(HandleId handle) {
    MutexLock lock(mutex_);
    handles_.push_back(handle);
  }
  void RemoveHandle(HandleId handle) {
    MutexLock lock(mutex_);
    handles_.erase(std::remove(handles_.begin(), handles_.end(), handle), handles_.end());
  }
  std::vector<HandleId> Handles() const {
    MutexLock lock(mutex_);
    return handles_;
  }

  // Node and name in the layer's work directory of the file that stands for it where locks are concerned.
  struct LockFile {
    NodeId node = NodeId::kInvalid;
    std::string name;
  };
  std::optional<LockFile> GetLockFile() const {
    MutexLock lock(mutex_);
    return lock_file_;
  }
  void SetLockFile(std::optional<LockFile> file) {
    MutexLock lock(mutex_);
    lock_file_ = std::move(file);
  }
  // Whether locks of it are taken on the file itself, for as long as it is open. Decided by the first.
  bool LocksOnItself() const {
    MutexLock lock(mutex_);
    return locks_on_itself_;
  }
  void SetLocksOnItself(bool on_itself) {
    MutexLock lock(mutex_);
    locks_on_itself_ = on_itself;
  }

  // Held by who brings it into the layer, takes a name from it, or changes its record there. Order: `changing` of
  // directories (by id) before `copying`, `copying` of a child before its parent's; of two files never both.
  Gate& copying() { return copying_; }
  // Held by who changes names of this directory, or removes it.
  Gate& changing() { return changing_; }

 private:
  std::vector<Name>::iterator FindName(const ViewNode* parent, std::string_view name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::find_if(names_.begin(), names_.end(), [&](const Name& candidate) {
      return candidate.parent.get() == parent && candidate.name == name;
    });
  }

  const NodeId id_;
  const FileType type_;
  const PathDecision decision_;
  const Side primary_;
  Gate copying_;
  Gate changing_;

  mutable Mutex mutex_;
  std::array<Counterpart, kSideCount> parts_ ABSL_GUARDED_BY(mutex_);
  std::vector<Name> names_ ABSL_GUARDED_BY(mutex_);
  LayerRecord record_ ABSL_GUARDED_BY(mutex_);
  uint32_t hidden_names_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<HandleId> handles_ ABSL_GUARDED_BY(mutex_);
  std::optional<LockFile> lock_file_ ABSL_GUARDED_BY(mutex_);
  bool locks_on_itself_ ABSL_GUARDED_BY(mutex_) = false;
};

using ViewNodePtr = std::shared_ptr<ViewNode>;

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_VIEW_NODE_H_
