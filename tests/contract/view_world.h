// Views of one kind only: all of one side. What the suite asks of that side, the view must give just so.
#ifndef MIRRORFS_TESTS_CONTRACT_VIEW_WORLD_H_
#define MIRRORFS_TESTS_CONTRACT_VIEW_WORLD_H_

#include <memory>
#include <string>

#include "tests/contract/world.h"

namespace mirrorfs {

// Everything is the container's, which is `directory`.
std::unique_ptr<World> MakeContainerView(const std::string& directory, const WorldOptions& options);
// Everything is this machine's, whose root is `directory`.
std::unique_ptr<World> MakeLocalView(const std::string& directory, const WorldOptions& options);
// Everything is written to a layer at `directory`/layer over an empty container.
std::unique_ptr<World> MakeLayerView(const std::string& directory, const WorldOptions& options);
// The tree of that layer, which is made if need be.
std::string LayerTree(const std::string& directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_CONTRACT_VIEW_WORLD_H_
