// `mirrorfs exec` and `mirrorfs shell`.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_EXEC_COMMAND_H_
#define MIRRORFS_LAUNCHER_COMMANDS_EXEC_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "launcher/plan/exec_arguments.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// Returns only if the program was not started.
absl::Status RunExec(absl::Span<const std::string> words, ExecCommand kind, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_EXEC_COMMAND_H_
