// A side's tree by path, for work that is not a kernel's: applying a layer.
#ifndef MIRRORFS_FUSEFS_VIEW_CONTAINER_TREE_H_
#define MIRRORFS_FUSEFS_VIEW_CONTAINER_TREE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/layer/layer.h"
#include "protos/layer/layer_changes.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// Paths are "/a/b"; no link is followed. Not thread-safe.
class ContainerTree {
 public:
  explicit ContainerTree(FileSystem& files) : files_(files) {}

  // Nothing if it is not there.
  absl::StatusOr<std::optional<Entry>> Find(std::string_view path);
  // Writes a regular file's content to `fd`.
  absl::Status Fetch(std::string_view path, int fd);

  // Removes it, and all below if it is a directory. That it is not there is no error.
  absl::Status Remove(std::string_view path);
  absl::Status Rename(std::string_view from, std::string_view to);
  // Copies a tree to a new name, within the container where it can: what a rename does where that gives EXDEV (an
  // overlay's own directories of lower layers).
  absl::Status CopyTree(std::string_view from, std::string_view to);
  absl::Status MakeDirectory(std::string_view path);
  // Gives what is there the attributes of `fd`, a file or directory of the layer: owner and permissions as in `change`,
  // extended attributes, times.
  absl::Status Dress(std::string_view path, const LayerChange& change, int fd, const Layer& layer);
  // Replaces what is there, if anything is, by the layer's file, in one step.
  absl::Status Put(std::string_view path, const LayerChange& change, int fd, const Layer& layer);
  // Whether a file there has the content and permissions of the layer's file.
  absl::StatusOr<bool> IsSame(std::string_view path, const Entry& there, const LayerChange& change, int fd);

 private:
  // The node of a directory, with a reference.
  absl::StatusOr<NodeId> Directory(std::string_view path);
  void GiveBack(NodeId node);
  HandleId NextHandle() { return HandleId{++last_handle_}; }
  absl::Status MakeNew(NodeId parent, const std::string& name, const LayerChange& change, int fd);
  absl::StatusOr<bool> IsSameContent(std::string_view path, int fd, uint64_t size);
  absl::Status WriteContent(HandleId handle, int fd, uint64_t size);
  absl::Status DressNode(NodeId node, const Attributes& now, const LayerChange& change, int fd, const Layer& layer);
  absl::StatusOr<std::vector<std::string>> NamesIn(NodeId directory);
  absl::Status CopyInto(const Entry& from, NodeId parent, const std::string& name);
  absl::Status CopyContent(const Entry& from, NodeId parent, const std::string& name);
  absl::Status CopyAttributes(const Entry& from, NodeId to);
  absl::Status RemoveIn(NodeId parent, const std::string& name);

  FileSystem& files_;
  const CallContext call_;
  uint64_t last_handle_ = 0;
  uint64_t last_name_ = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_CONTAINER_TREE_H_
