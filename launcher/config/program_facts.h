// What the default lists are computed from, found out on this machine.
#ifndef MIRRORFS_LAUNCHER_CONFIG_PROGRAM_FACTS_H_
#define MIRRORFS_LAUNCHER_CONFIG_PROGRAM_FACTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "launcher/config/environment.h"
#include "protos/policy/default_lists.h"

namespace mirrorfs {

// The absolute path itself (made clean, not resolved), then every name that symbolic links lead over, the last one free
// of them. What does not exist ends the list. Links in directories on the way are resolved without a name of their own.
std::vector<std::string> NamesOf(std::string_view absolute_path);

// `program`: the first word of the program to be run, as a shell takes it (looked for in $PATH without a slash); empty:
// none, no rule for it then. `working_directory`: absolute; empty: not local (--container-cwd). Home and $TMPDIR are
// the environment's; without $HOME the user's home of /etc/passwd counts.
ProgramFacts FindProgramFacts(std::string_view program, const Environment& environment,
                              std::string_view working_directory);

// The absolute path of the program that is meant, or empty.
std::string PathOfProgram(std::string_view program, const Environment& environment, std::string_view working_directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_PROGRAM_FACTS_H_
