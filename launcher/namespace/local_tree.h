// A tree of this machine, taken along into another mount namespace.
#ifndef MIRRORFS_LAUNCHER_NAMESPACE_LOCAL_TREE_H_
#define MIRRORFS_LAUNCHER_NAMESPACE_LOCAL_TREE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// A directory with everything that is mounted below it, or a file or symbolic link (/bin is one in most systems, and
// each path through it would ask the view for its target), as a copy that is mounted nowhere yet. It belongs to the
// mount namespace of the process that took it.
class LocalTree {
 public:
  // Fails with the errno of open_tree(2). A symbolic link is taken itself.
  static absl::StatusOr<LocalTree> Take(const std::string& path);

  const std::string& path() const { return path_; }

  // Mounts it in the tree of `root`, at its own path. Links there are not followed, so nothing outside can be covered.
  // Fails with the errno: ENOENT, ENOTDIR or ELOOP where `root` has nothing like it.
  absl::Status AttachIn(const UniqueFd& root) const;

 private:
  LocalTree(std::string path, UniqueFd tree) : path_(std::move(path)), tree_(std::move(tree)) {}

  std::string path_;
  UniqueFd tree_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_NAMESPACE_LOCAL_TREE_H_
