// mirrorfs help, and -h of every command.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_HELP_H_
#define MIRRORFS_LAUNCHER_COMMANDS_HELP_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace mirrorfs {

// Names of all commands.
std::vector<std::string> CommandNames();

// What there is to say about a command, or about all if `command` is empty; empty if there is no such command.
std::string HelpText(std::string_view command);

// Prints that. About one command, or all of them if `command` is empty. An unknown one: kUsage.
absl::Status PrintHelp(std::string_view command);

// "There is no command ..."
absl::Status UnknownCommand(std::string_view word);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_HELP_H_
