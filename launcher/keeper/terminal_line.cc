#include "launcher/keeper/terminal_line.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

constexpr std::string_view kBegin = "mirrorfs: ";
constexpr size_t kUsualColumns = 80;

}  // namespace

void TerminalLine::Print(std::string_view text) {
  EndUpdates();
  // A program may have switched the terminal's own line ends off.
  Write(fmt::format("\r{}{}\r\n", kBegin, text));
}

void TerminalLine::Update(std::string_view text) {
  open_ = true;
  Write(fmt::format("\r{}{}", kBegin, text));
}

void TerminalLine::EndUpdates() {
  if (std::exchange(open_, false)) Write("\r\n");
}

size_t TerminalLine::Room() const {
  winsize size = {};
  const bool known = ::ioctl(terminal_.get(), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const size_t columns = known ? size.ws_col : kUsualColumns;
  // In the last column some terminals go on to the next line.
  return columns > kBegin.size() ? columns - kBegin.size() - 1 : 0;
}

void TerminalLine::Write(const std::string& bytes) const {
  if (::isatty(terminal_.get()) == 0) return;
  pollfd entry = {.fd = terminal_.get(), .events = POLLOUT, .revents = 0};
  if (::poll(&entry, 1, 0) != 1 || entry.revents != POLLOUT) return;
  (void)!::write(terminal_.get(), bytes.data(), bytes.size());  // nobody is there to be told that it failed
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
