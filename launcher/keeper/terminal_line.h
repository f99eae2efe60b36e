// The terminal from which a program was started, for the rare line about it from somebody who has no terminal himself.
#ifndef MIRRORFS_LAUNCHER_KEEPER_TERMINAL_LINE_H_
#define MIRRORFS_LAUNCHER_KEEPER_TERMINAL_LINE_H_

#include <string_view>

#include "protos/shared/unique_fd.h"

namespace mirrorfs {

class TerminalLine {
 public:
  // `terminal`: what OwnTerminal gave, or anything else, which is then not written to.
  explicit TerminalLine(UniqueFd terminal) : terminal_(std::move(terminal)) {}

  // "mirrorfs: TEXT". Does nothing if it cannot be written at once: the terminal is stopped, or its session has ended.
  void Print(std::string_view text) const;

 private:
  UniqueFd terminal_;
};

// The terminal that standard error, output or input of this process is: a copy; or /dev/null if none is one. Not opened
// anew: it may belong to another user (after su). When its session ends the kernel takes it away from whoever has it.
UniqueFd OwnTerminal();

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_TERMINAL_LINE_H_
