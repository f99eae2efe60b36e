#include "launcher/namespace/local_tree.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

UniqueFd OpenIn(const UniqueFd& root, const std::string& path) {
  open_how how = {};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof(how))));
}

}  // namespace

absl::StatusOr<LocalTree> LocalTree::Take(const std::string& path) {
  const UniqueFd place(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!place) return LastErrno(path);
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH;
  UniqueFd tree(static_cast<int>(::syscall(SYS_open_tree, place.get(), "", flags)));
  if (!tree) return LastErrno(path);
  return LocalTree(path, std::move(tree));
}

absl::Status LocalTree::AttachIn(const UniqueFd& root) const {
  const UniqueFd place = OpenIn(root, path_);
  if (!place) return LastErrno(path_);
  const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (::syscall(SYS_move_mount, tree_.get(), "", place.get(), "", flags) != 0) return LastErrno(path_);
  return absl::OkStatus();
}

}  // namespace mirrorfs
