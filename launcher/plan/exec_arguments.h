// The command lines of `mirrorfs exec` and `mirrorfs shell`, taken apart but not judged: see exec_plan.h for that.
#ifndef MIRRORFS_LAUNCHER_PLAN_EXEC_ARGUMENTS_H_
#define MIRRORFS_LAUNCHER_PLAN_EXEC_ARGUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "launcher/config/exec_flags.h"

namespace mirrorfs {

enum class ExecCommand : uint8_t { kExec, kShell };

struct ExecArguments {
  ExecCommand kind = ExecCommand::kExec;
  std::vector<std::string> command;  // program and its arguments; empty for a shell
  ExecFlags flags;
  std::optional<std::string> layer;
  bool dry_run = false;
  bool verbose = false;
  bool help = false;
};

// `words`: what follows "exec" or "shell". Fails with kUsage.
absl::StatusOr<ExecArguments> ParseExecArguments(absl::Span<const std::string> words, ExecCommand kind);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_EXEC_ARGUMENTS_H_
