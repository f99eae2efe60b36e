// The oracle: plain system calls on the directory itself.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "tests/contract/world.h"
#include "tests/native/native_filesystem.h"

namespace mirrorfs {
namespace {

// A mount of its own for the directory, attached nowhere: so the kernel enforces what it enforces on any mount.
UniqueFd OpenRoot(const std::string& directory, bool read_write) {
  UniqueFd tree(static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, directory.c_str(), OPEN_TREE_CLONE | O_CLOEXEC)));
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (read_write ? 0 : MOUNT_ATTR_RDONLY);
  if (!tree || syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    perror("a mount for the native world");
    abort();
  }
  return tree;
}

class NativeWorld : public World {
 public:
  NativeWorld(const std::string& directory, const WorldOptions& options)
      : files_({.root = OpenRoot(directory, options.read_write),
                .fixed = options.user,
                .use_caller = options.caller,
                .devices = options.devices}) {}

  FileSystem& Files() override { return files_; }
  Entry Root() override { return files_.Root().value(); }
  bool ThroughKernel() const override { return true; }
  bool TellsAfterwards() const override { return false; }

 private:
  NativeFileSystem files_;
};

}  // namespace

std::unique_ptr<World> MakeWorld(const std::string& directory, const WorldOptions& options) {
  return std::make_unique<NativeWorld>(directory, options);
}

}  // namespace mirrorfs
