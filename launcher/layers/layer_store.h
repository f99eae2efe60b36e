// The private layers of a user, by name:
//   $XDG_STATE_HOME/mirrorfs/layers, else for root /var/lib/mirrorfs/layers, for others
//   $HOME/.local/state/mirrorfs/layers
// Only their owner can reach them. Who looks for layers waits until a run that is just ending has let go of its own.
#ifndef MIRRORFS_LAUNCHER_LAYERS_LAYER_STORE_H_
#define MIRRORFS_LAUNCHER_LAYERS_LAYER_STORE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/plan/invoker.h"
#include "protos/layer/layer.h"

namespace mirrorfs {

struct KnownLayer {
  std::string name;
  std::string directory;
  LayerInfo info;
  bool in_use = false;
  size_t changes = 0;
};

// Where they are.
absl::StatusOr<std::string> LayersPath(const Invoker& invoker);

// The directory for the layer of a mount or run: of that name, or of a new one if `name` is empty. Makes the
// directories above it, not itself. kUsage for a name that cannot be one, or a layer of another target; kBusy if it is
// in use.
absl::StatusOr<std::string> ChooseLayer(const Invoker& invoker, std::string_view name, std::string_view target);

// Sorted by name. Directories that hold no layer are left out.
absl::StatusOr<std::vector<KnownLayer>> ListLayers(const Invoker& invoker);

// The one that is meant: by name, by path, or, if `name` is empty, the only one. kUsage, kNoTarget.
absl::StatusOr<KnownLayer> FindLayer(const Invoker& invoker, std::string_view name);

// At the end of a mount or run: removes a layer without changes and says nothing; else one line that says how many
// there are and what to do with them.
std::string SettleLayer(const std::string& directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_LAYERS_LAYER_STORE_H_
