#include "launcher/keeper/ending_signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "launcher/failure.h"
#include "launcher/system/child_process.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

bool IsIgnored(int signal) {
  struct sigaction action = {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

EndingSignals::EndingSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    if (!IsIgnored(signal)) sigaddset(&set, signal);  // blocked, it would come nevertheless
  }
  ::sigprocmask(SIG_BLOCK, &set, &before_);
  fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

EndingSignals::~EndingSignals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

std::optional<int> EndingSignals::Next() {
  signalfd_siginfo info;
  if (::read(fd_.get(), &info, sizeof(info)) != sizeof(info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

absl::Status EndedBy(int signal) { return Failure(static_cast<ExitCode>(128 + signal), "interrupted."); }

absl::StatusOr<int> WaitForChild(pid_t pid, EndingSignals& signals) {
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return LastErrno("pidfd_open");
  std::array<pollfd, 2> entries = {
      {{.fd = pidfd.get(), .events = POLLIN, .revents = 0}, {.fd = signals.fd(), .events = POLLIN, .revents = 0}}};
  while (true) {
    if (::poll(entries.data(), entries.size(), -1) < 0) continue;  // EINTR
    if (entries[0].revents != 0) return Reap(pid);
    const std::optional<int> signal = signals.Next();
    if (!signal) continue;
    ::kill(pid, SIGKILL);
    Reap(pid);
    return EndedBy(*signal);
  }
}

}  // namespace mirrorfs
