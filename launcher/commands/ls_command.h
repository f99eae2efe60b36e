// mirrorfs ls
#ifndef MIRRORFS_LAUNCHER_COMMANDS_LS_COMMAND_H_
#define MIRRORFS_LAUNCHER_COMMANDS_LS_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

absl::Status RunLs(absl::Span<const std::string> words, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_LS_COMMAND_H_
