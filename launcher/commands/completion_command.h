// Completion of command lines: mirrorfs completion, and what its scripts and kubectl call.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_COMPLETION_COMMAND_H_
#define MIRRORFS_LAUNCHER_COMMANDS_COMPLETION_COMMAND_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// Called by the scripts: mirrorfs __complete WORD...
inline constexpr std::string_view kCompletionCommand = "__complete";

// "completion SHELL": prints the script.
absl::Status PrintCompletionScript(absl::Span<const std::string> words);

// The script for a shell; empty if there is none.
std::string_view CompletionScript(std::string_view shell);

// `words`: the command line after the program's name; the last one is to be completed. Prints what it could be, one a
// line, and ":" with what kubectl and others made with the library cobra expect there: 0 files, 2 no space after it,
// 4 no files, 16 directories.
absl::Status PrintCompletions(absl::Span<const std::string> words, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_COMPLETION_COMMAND_H_
