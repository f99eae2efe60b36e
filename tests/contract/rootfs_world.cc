// The agent's rooted file system, called directly.
#include "tests/contract/rooted_world.h"

namespace mirrorfs {
namespace {

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
  return std::make_unique<RootfsWorld>(MakeFiles(directory, options));
}

}  // namespace mirrorfs
