// `mirrorfs layers`, `mirrorfs diff`, `mirrorfs discard`: private layers, looked at and thrown away without the
// container.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_LAYER_COMMANDS_H_
#define MIRRORFS_LAUNCHER_COMMANDS_LAYER_COMMANDS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// `words`: what follows the command's name.
absl::Status RunLayers(absl::Span<const std::string> words, const Invoker& invoker);
absl::Status RunDiff(absl::Span<const std::string> words, const Invoker& invoker);
absl::Status RunDiscard(absl::Span<const std::string> words, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_LAYER_COMMANDS_H_
