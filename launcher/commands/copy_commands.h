// `mirrorfs cp`, `mirrorfs cat`, and `mirrorfs diff TARGET TARGET PATH`: files of targets without a mount.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_COPY_COMMANDS_H_
#define MIRRORFS_LAUNCHER_COMMANDS_COPY_COMMANDS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// `words`: what follows the command's name.
absl::Status RunCopy(absl::Span<const std::string> words, const Invoker& invoker);
absl::Status RunCat(absl::Span<const std::string> words, const Invoker& invoker);
absl::Status RunCompare(absl::Span<const std::string> words, const Invoker& invoker);

// Whether the words after "diff" name two targets rather than a layer.
bool AsksToCompare(absl::Span<const std::string> words);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_COPY_COMMANDS_H_
