// The changes of a layer as a patch of text files.
#ifndef MIRRORFS_LAUNCHER_LAYERS_LAYER_PATCH_H_
#define MIRRORFS_LAUNCHER_LAYERS_LAYER_PATCH_H_

#include <vector>

#include "absl/status/status.h"
#include "launcher/plan/invoker.h"
#include "protos/layer/layer.h"
#include "protos/layer/layer_changes.h"

namespace mirrorfs {

// Prints it, as diff -u would. What the container has is asked of it; files that are no text are only named.
absl::Status PrintPatch(const Layer& layer, const std::vector<LayerChange>& changes, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_LAYERS_LAYER_PATCH_H_
