// The terminal from which a program was started, for the rare line about it from somebody who has no terminal himself.
#ifndef MIRRORFS_LAUNCHER_KEEPER_TERMINAL_LINE_H_
#define MIRRORFS_LAUNCHER_KEEPER_TERMINAL_LINE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Nothing is written if that cannot be done at once: the terminal is stopped, or its session has ended.
// Not thread-safe.
class TerminalLine {
 public:
  // `terminal`: what OwnTerminal gave, or anything else, which is then not written to.
  explicit TerminalLine(UniqueFd terminal) : terminal_(std::move(terminal)) {}

  // "mirrorfs: TEXT", as a line of its own.
  void Print(std::string_view text);

  // Likewise, as a line that the next Update replaces, and that EndUpdates ends. No longer than Room().
  void Update(std::string_view text);
  void EndUpdates();

  // How many bytes a text may have so that its line is not broken.
  size_t Room() const;

 private:
  void Write(const std::string& bytes) const;

  UniqueFd terminal_;
  bool open_ = false;  // there is a line that has no end yet
};

// The terminal that standard error, output or input of this process is: a copy; or /dev/null if none is one. Not opened
// anew: it may belong to another user (after su). When its session ends the kernel takes it away from whoever has it.
UniqueFd OwnTerminal();

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_TERMINAL_LINE_H_
