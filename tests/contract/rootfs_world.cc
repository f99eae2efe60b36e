// The agent's rooted file system, called directly.
#include <fcntl.h>

#include <cstdio>
#include <cstdlib>

#include "protos/rootfs/rooted_filesystem.h"
#include "tests/contract/world.h"

namespace mirrorfs {
namespace {

constexpr uint64_t kAllCapabilities = (uint64_t{1} << 41) - 1;

Identity ToIdentity(const WorldOptions& options) {
  if (options.caller) return {.kind = IdentityKind::kCaller, .credentials = {}};
  if (options.user) {
    return {.kind = IdentityKind::kFixed, .credentials = {.uid = options.user->uid, .gid = options.user->gid}};
  }
  return {.kind = IdentityKind::kContainer, .credentials = {.capabilities = kAllCapabilities}};
}

class RootfsWorld : public World {
 public:
  explicit RootfsWorld(std::unique_ptr<RootedFilesystem> files) : files_(std::move(files)) {}

  FileSystem& Files() override { return *files_; }
  Entry Root() override { return files_->Root({}).value(); }
  bool ThroughKernel() const override { return false; }
  bool TellsAfterwards() const override { return true; }

 private:
  std::unique_ptr<RootedFilesystem> files_;
};

}  // namespace

std::unique_ptr<World> MakeWorld(const std::string& directory, const WorldOptions& options) {
  RootedFilesystemOptions rooted;
  rooted.root.reset(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  rooted.identity = ToIdentity(options);
  rooted.read_write = options.read_write;
  rooted.devices = options.devices;
  rooted.fd_cache_size = options.fd_cache_size;
  auto files = RootedFilesystem::Create(std::move(rooted));
  if (!files.ok()) {
    fprintf(stderr, "no rooted file system: %s\n", files.status().ToString().c_str());
    abort();
  }
  return std::make_unique<RootfsWorld>(*std::move(files));
}

}  // namespace mirrorfs
