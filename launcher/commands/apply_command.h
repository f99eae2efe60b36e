// `mirrorfs apply`: brings the changes of a private layer to its container.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_APPLY_COMMAND_H_
#define MIRRORFS_LAUNCHER_COMMANDS_APPLY_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// `words`: what follows "apply".
absl::Status RunApply(absl::Span<const std::string> words, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_APPLY_COMMAND_H_
