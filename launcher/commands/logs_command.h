// mirrorfs logs: what all programs of mounts and runs have to say, in one place.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_LOGS_COMMAND_H_
#define MIRRORFS_LAUNCHER_COMMANDS_LOGS_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// `words`: what follows "logs". With -f it returns when the mount that is named has ended, else never.
absl::Status RunLogs(absl::Span<const std::string> words, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_LOGS_COMMAND_H_
