// How an interactive shell is started so that its prompt tells which container it is about.
#ifndef MIRRORFS_LAUNCHER_PLAN_SHELL_START_H_
#define MIRRORFS_LAUNCHER_PLAN_SHELL_START_H_

#include <string>
#include <string_view>
#include <vector>

namespace mirrorfs {

struct ShellStart {
  std::vector<std::string> command;
  std::vector<std::string> variables;  // NAME=VALUE, to be set
  std::string start_file;              // text of the file at `start_file_path`; empty: none is needed
};

// bash reads the start file instead of ~/.bashrc, which the file reads. Other shells get the prompt as a variable.
ShellStart StartOfShell(const std::string& shell, std::string_view target, const std::string& start_file_path);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_SHELL_START_H_
