// System calls on a mount: through this machine's kernel, the daemon's edge and core, to the rooted file system, all in
// this process.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "fusefs/kernel/fuse_session.h"
#include "tests/contract/rooted_world.h"
#include "tests/native/native_filesystem.h"

namespace mirrorfs {
namespace {

// Mounts vanish with this process, however it ends.
void UnshareMounts() {
  static const bool done = unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  if (!done) abort();
}

std::string MakeMountpoint() {
  UnshareMounts();
  char directory[] = "/tmp/mirrorfs-contract-mount-XXXXXX";
  if (mkdtemp(directory) == nullptr) abort();
  return directory;
}

// The suite looks natively at what it has changed through the mount, and the other way round: nothing is kept.
MountOptions ToMountOptions(const std::string& mountpoint, const WorldOptions& options) {
  MountOptions mount;
  mount.mountpoint = mountpoint;
  mount.source = "contract";
  mount.read_only = !options.read_write;
  mount.dev = options.devices;
  mount.symlinks = SymlinkMode::kRaw;
  mount.attr_timeout = absl::ZeroDuration();
  mount.entry_timeout = absl::ZeroDuration();
  mount.allow_other = options.caller;
  mount.default_permissions = options.caller;
  mount.send_caller = options.caller;
  return mount;
}

class MountWorld : public World {
 public:
  MountWorld(const std::string& directory, const WorldOptions& options)
      : mountpoint_(MakeMountpoint()),
        served_(MakeFiles(directory, options)),
        session_(OrAbort(
            FuseSession::Mount(*served_, OrAbort(served_->Root({}), "no root"), ToMountOptions(mountpoint_, options)),
            "no mount")),
        server_([this] { static_cast<void>(session_->Run()); }) {
    NativeFileSystemOptions native;
    native.root.reset(open(mountpoint_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    native.use_caller = options.caller;
    native.devices = options.devices;
    files_ = std::make_unique<NativeFileSystem>(std::move(native));
  }
  ~MountWorld() override {
    files_.reset();
    umount2(mountpoint_.c_str(), MNT_DETACH);
    server_.join();
    session_.reset();
    rmdir(mountpoint_.c_str());
  }

  FileSystem& Files() override { return *files_; }
  Entry Root() override { return files_->Root().value(); }
  bool ThroughKernel() const override { return true; }
  bool TellsAfterwards() const override { return false; }

 private:
  const std::string mountpoint_;
  const std::unique_ptr<RootedFilesystem> served_;
  std::unique_ptr<FuseSession> session_;
  std::thread server_;
  std::unique_ptr<NativeFileSystem> files_;
};

}  // namespace

std::unique_ptr<World> MakeWorld(const std::string& directory, const WorldOptions& options) {
  return std::make_unique<MountWorld>(directory, options);
}

}  // namespace mirrorfs
