// Words and variables as execve takes them.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_EXEC_WORDS_H_
#define MIRRORFS_LAUNCHER_SYSTEM_EXEC_WORDS_H_

#include <string>
#include <vector>

namespace mirrorfs {

// Null at the end; they point into `words`.
std::vector<char*> ExecPointers(const std::vector<std::string>& words);

// This process's environment, in which `variables` (NAME=VALUE) take the place of those of the same name.
std::vector<std::string> EnvironmentWith(const std::vector<std::string>& variables);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_EXEC_WORDS_H_
