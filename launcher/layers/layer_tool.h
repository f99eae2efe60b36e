// Work that needs the container and no mount, on a layer or copying: an agent is started for it (or the one that
// listens already is asked), and mirrorfsd does it, since only that speaks to agents.
#ifndef MIRRORFS_LAUNCHER_LAYERS_LAYER_TOOL_H_
#define MIRRORFS_LAUNCHER_LAYERS_LAYER_TOOL_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "launcher/plan/invoker.h"
#include "launcher/plan/mount_plan.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

struct LayerToolOptions {
  MountPlan plan;                  // target, identity, files of the connection; mount options are not used
  std::string layer_directory;     // empty: it is not about a layer
  std::vector<std::string> words;  // for mirrorfsd: what to do
  int output = -1;                 // handed to it as kToolOutput
};

// The number of LayerToolOptions::output in mirrorfsd.
inline constexpr int kToolOutput = 4;

// Runs it to its end. `told` gets each message of mirrorfsd (fusefs/daemon/{layer,transfer}_work.h). Fails with why it
// could not be done; what went wrong with single paths is in the messages.
absl::Status RunLayerTool(LayerToolOptions options, const Invoker& invoker,
                          const std::function<void(const nlohmann::json&)>& told);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_LAYERS_LAYER_TOOL_H_
