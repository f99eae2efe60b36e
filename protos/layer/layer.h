// A private layer on disk: the directory that holds what a view's programs have changed (docs/layer-format.md).
//
//   DIR/layer.json  what it is of
//   DIR/lock        locked by whoever changes it
//   DIR/tree        changed and new files under the paths they have in the view; place holders for removed names
//   DIR/work        what is not in its place yet; emptied when the layer is opened for changes
//
// Every change is one rename into the tree: a process that is killed leaves the old or the new state.
#ifndef MIRRORFS_PROTOS_LAYER_LAYER_H_
#define MIRRORFS_PROTOS_LAYER_LAYER_H_

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/layer/layer_record.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

inline constexpr int kLayerFormat = 1;

// The text of layer.json.
struct LayerInfo {
  int format = kLayerFormat;
  std::string target;       // as `mirrorfs mount` takes it
  int64_t created = 0;      // seconds since the epoch
  bool native_ids = false;  // owners and permissions are the files' own, as only root can make them
  bool trusted = false;     // records are trusted.mirrorfs, else user.mirrorfs
  uint32_t shown_uid = 0;   // without native ids: whose the files are that have no owner recorded
  uint32_t shown_gid = 0;
};

enum class LayerUse : uint8_t {
  kRead,    // looks at it, also while somebody else changes it
  kChange,  // alone: EBUSY if somebody has it
};

// Thread-safe. Paths are relative to the tree, without leading slash; "" is the tree itself. Symbolic links are never
// followed, on no component.
class Layer {
 public:
  // ENOENT if there is none, EINVAL if it is none or of another format, EBUSY. The message says what and why.
  static absl::StatusOr<std::unique_ptr<Layer>> Open(const std::string& directory, LayerUse use);
  // Makes it. EEXIST if there is one, EOPNOTSUPP if the file system there has no extended attributes.
  static absl::StatusOr<std::unique_ptr<Layer>> Create(const std::string& directory, LayerInfo info);

  const LayerInfo& info() const { return info_; }
  const std::string& directory() const { return directory_; }
  int root() const { return root_.get(); }
  int tree() const { return tree_.get(); }
  int work() const { return work_.get(); }

  // The name of the extended attribute that holds records. Programs do not see it.
  const char* record_name() const { return info_.trusted ? "trusted.mirrorfs" : "user.mirrorfs"; }

  // An O_PATH descriptor. ENOENT, ENOTDIR.
  absl::StatusOr<UniqueFd> OpenPath(std::string_view path) const;
  absl::StatusOr<UniqueFd> OpenName(int directory, const std::string& name) const;

  // Of an open file (also O_PATH). An empty record if it has none.
  absl::StatusOr<LayerRecord> ReadRecord(int fd) const;
  // An empty record removes it. Where the kernel allows no such attribute (symbolic links and special files, without
  // privilege) nothing is kept, and that is no error.
  absl::Status WriteRecord(int fd, const LayerRecord& record) const;

  // Whose a file of the tree is to programs, and its permissions.
  LayerOwner OwnerOf(const struct stat& is, const LayerRecord& record) const;

  // A name in work() that nobody uses.
  std::string NextWorkName() const;
  // Makes a place holder in work; returns its name there. `record`: only what it says of the container counts.
  absl::StatusOr<std::string> MakeWhiteout(const LayerRecord& record) const;
  // Hides a name: puts a place holder there, in one step also in the place of a file. A directory there is an error.
  absl::Status PlaceWhiteout(int directory, const std::string& name, const LayerRecord& record) const;
  // Moves from the tree into work, out of sight.
  absl::Status MoveToWork(int directory, const std::string& name, const std::string& work_name) const;
  // Moves from work into the tree, over whatever file is there.
  absl::Status PlaceFromWork(const std::string& work_name, int directory, const std::string& name) const;
  // What lies in work and what the tree has under the name change places, in one step.
  absl::Status ExchangeWithWork(const std::string& work_name, int directory, const std::string& name) const;

  // EPERM if it was made by root and this process is not, or the other way round: owners would be misunderstood.
  absl::Status CheckOwners() const;

  // True if nothing has been changed.
  bool IsEmpty() const;
  // Forgets all changes. For LayerUse::kChange.
  absl::Status Clear() const;

 private:
  Layer(std::string directory, UniqueFd root) : directory_(std::move(directory)), root_(std::move(root)) {}
  static absl::StatusOr<std::unique_ptr<Layer>> OpenRoot(const std::string& directory);
  absl::Status ReadInfo();
  absl::Status WriteInfo() const;
  absl::Status OpenParts();
  absl::Status Lock(bool make);
  absl::Status ChooseRecords();

  const std::string directory_;
  LayerInfo info_;
  UniqueFd root_;
  UniqueFd tree_;
  UniqueFd work_;
  UniqueFd lock_;
  mutable std::atomic<uint64_t> next_work_{1};
};

// Removes a layer with all in it. EBUSY if it is in use.
absl::Status RemoveLayer(const std::string& directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_LAYER_LAYER_H_
