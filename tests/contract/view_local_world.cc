#include "tests/contract/view_world.h"

namespace mirrorfs {

std::unique_ptr<World> MakeWorld(const std::string& directory, const WorldOptions& options) {
  return MakeLocalView(directory, options);
}

}  // namespace mirrorfs
