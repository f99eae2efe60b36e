#include "tests/contract/view_world.h"

namespace mirrorfs {

std::string NativeDirectory(const std::string& directory) { return LayerTree(directory); }

std::unique_ptr<World> MakeWorld(const std::string& directory, const WorldOptions& options) {
  return MakeLayerView(directory, options);
}

}  // namespace mirrorfs
