#include "launcher/keeper/terminal_line.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "fmt/format.h"

namespace mirrorfs {

void TerminalLine::Print(std::string_view text) const {
  if (::isatty(terminal_.get()) == 0) return;
  pollfd entry = {.fd = terminal_.get(), .events = POLLOUT, .revents = 0};
  if (::poll(&entry, 1, 0) != 1 || entry.revents != POLLOUT) return;
  // A program may have switched the terminal's own line ends off.
  const std::string line = fmt::format("\rmirrorfs: {}\r\n", text);
  (void)!::write(terminal_.get(), line.data(), line.size());  // nobody is there to be told that it failed
}

UniqueFd OwnTerminal() {
  for (const int fd : {STDERR_FILENO, STDOUT_FILENO, STDIN_FILENO}) {
    const int flags = ::fcntl(fd, F_GETFL);
    const bool writable = flags >= 0 && (flags & O_PATH) == 0 && (flags & O_ACCMODE) != O_RDONLY;
    if (writable && ::isatty(fd) != 0) return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  }
  return UniqueFd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
}

}  // namespace mirrorfs
