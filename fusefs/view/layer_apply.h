// Bringing a layer's changes to the container.
#ifndef MIRRORFS_FUSEFS_VIEW_LAYER_APPLY_H_
#define MIRRORFS_FUSEFS_VIEW_LAYER_APPLY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "protos/layer/layer.h"
#include "protos/layer/layer_changes.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

struct ApplyOptions {
  bool force = false;              // also over what has changed in the container
  std::vector<std::string> paths;  // only these and what lies below; empty: all
};

enum class ApplyResult : uint8_t {
  kApplied,
  kAlready,  // the container has it so
  kRefused,  // it has changed in the container since the layer began to cover it
  kFailed,
};

struct AppliedChange {
  ChangeKind kind = ChangeKind::kAdded;
  std::string path;  // in the view
  ApplyResult result = ApplyResult::kApplied;
  std::string message;  // of kRefused and kFailed
};

// Each file is replaced in one step, and leaves the layer when it is in the container: whatever ends this, it can be
// done again. `layer` is opened for changes, and nobody else's. Tells of each path; fails only if nothing can be done
// at all.
absl::Status ApplyLayer(FileSystem& container, const Layer& layer, const ApplyOptions& options,
                        const std::function<void(const AppliedChange&)>& told);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_LAYER_APPLY_H_
