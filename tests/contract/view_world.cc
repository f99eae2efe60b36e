#include "tests/contract/view_world.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "fusefs/view/view_file_system.h"
#include "tests/contract/rooted_world.h"

namespace mirrorfs {
namespace {

PathPolicy PolicyOf(FsMode mode) {
  return OrAbort(PathPolicy::Compile({.mode = mode, .rules = {}, .mappings = {}}), "no policy");
}

// What a view is made of, in the order in which it may go.
struct Parts {
  std::unique_ptr<Layer> layer;
  std::unique_ptr<RootedFilesystem> container;
  std::unique_ptr<RootedFilesystem> local;
  std::unique_ptr<RootedFilesystem> layer_files;
  std::unique_ptr<ViewFileSystem> view;
};

class ViewWorld : public World {
 public:
  explicit ViewWorld(Parts parts) : parts_(std::move(parts)) {}

  FileSystem& Files() override { return *parts_.view; }
  Entry Root() override { return OrAbort(parts_.view->Root({}), "no root"); }
  bool ThroughKernel() const override { return false; }
  bool TellsAfterwards() const override { return true; }

 private:
  Parts parts_;
};

std::unique_ptr<World> MakeWorldOf(Parts parts, FsMode mode, const WorldOptions& options) {
  ViewOptions view{.policy = PolicyOf(mode)};
  view.container = parts.container.get();
  view.local = parts.local.get();
  view.layer = parts.layer.get();
  view.layer_files = parts.layer_files.get();
  if (!options.caller) view.acting_as = options.user.value_or(Caller{});
  parts.view = OrAbort(ViewFileSystem::Create(std::move(view)), "no view");
  return std::make_unique<ViewWorld>(std::move(parts));
}

}  // namespace

std::unique_ptr<World> MakeContainerView(const std::string& directory, const WorldOptions& options) {
  Parts parts;
  parts.container = MakeFiles(directory, options);
  return MakeWorldOf(std::move(parts), FsMode::kWrite, options);
}

std::unique_ptr<World> MakeLocalView(const std::string& directory, const WorldOptions& options) {
  Parts parts;
  parts.local = MakeFiles(directory, options);
  return MakeWorldOf(std::move(parts), FsMode::kLocalWithOverrides, options);
}

std::string LayerTree(const std::string& directory) {
  const std::string layer = directory + "/layer";
  if (access((layer + "/layer.json").c_str(), F_OK) != 0) OrAbort(Layer::Create(layer, {}), "no layer");
  return layer + "/tree";
}

std::unique_ptr<World> MakeLayerView(const std::string& directory, const WorldOptions& options) {
  const std::string container = directory + "/container";
  const std::string layer = directory + "/layer";
  mkdir(container.c_str(), 0755);
  LayerTree(directory);
  Parts parts;
  parts.layer = OrAbort(Layer::Open(layer, LayerUse::kChange), "no layer");
  parts.container = MakeFiles(container, {.read_write = false});
  parts.layer_files = MakeFiles(layer, options);
  return MakeWorldOf(std::move(parts), FsMode::kRead, options);
}

}  // namespace mirrorfs
