// The program itself: this process becomes it.
#ifndef MIRRORFS_LAUNCHER_NAMESPACE_PROGRAM_H_
#define MIRRORFS_LAUNCHER_NAMESPACE_PROGRAM_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace mirrorfs {

// Standard descriptors that are closed are taken by placeholders, so that no file of ours comes to be the program's
// input or output; the program gets them closed. Call it before anything is opened.
void ReserveStandardDescriptors();

struct ProgramStart {
  std::vector<std::string> command;      // argv; looked up in $PATH of `environment`
  std::vector<std::string> environment;  // NAME=VALUE
  bool in_view = true;                   // for messages
};

// Does not return if the program was started: it has this process, with its number, group, terminal, limits, umask,
// signals and all descriptors that are inherited. Fails with kNoProgram or kCannotRun.
absl::Status BecomeProgram(const ProgramStart& start);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_NAMESPACE_PROGRAM_H_
