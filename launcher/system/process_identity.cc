#include "launcher/system/process_identity.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/time/clock.h"
#include "fmt/format.h"

namespace mirrorfs {
namespace {

void Signal(const UniqueFd& pidfd, int signal) {
  // Fails only if it has ended meanwhile, or belongs to another user: nothing more can be done then.
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

bool WaitReadable(const UniqueFd& pidfd, absl::Duration limit) {
  pollfd entry = {.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  const absl::Time until = absl::Now() + limit;
  while (true) {
    const absl::Duration left = std::max(until - absl::Now(), absl::ZeroDuration());
    // Longer waits than poll can have are taken in pieces.
    const int64_t milliseconds = std::min<int64_t>(absl::ToInt64Milliseconds(left), 1 << 30) + 1;
    const int ready = ::poll(&entry, 1, static_cast<int>(milliseconds));
    if (ready > 0) return true;
    if (ready == 0 && absl::Now() >= until) return false;
  }
}

}  // namespace

ProcessIdentity IdentifyProcess(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  if (!std::getline(file, text, '\0')) return {};
  // The name, in parentheses, may hold anything: fields are counted from behind it.
  const size_t name_end = text.rfind(')');
  if (name_end == text.npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  ProcessIdentity identity{.pid = pid, .start_ticks = 0};
  if (!(fields >> identity.start_ticks)) return {};
  return identity;
}

UniqueFd OpenProcess(const ProcessIdentity& process) {
  if (process.pid <= 0) return UniqueFd();
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  // Looked at after the pidfd is held: the id cannot go to another process between the two.
  if (!pidfd || IdentifyProcess(process.pid) != process) return UniqueFd();
  if (WaitReadable(pidfd, absl::ZeroDuration())) return UniqueFd();
  return pidfd;
}

bool IsAlive(const ProcessIdentity& process) { return static_cast<bool>(OpenProcess(process)); }

bool WaitForEnd(const ProcessIdentity& process, absl::Duration limit) {
  const UniqueFd pidfd = OpenProcess(process);
  return !pidfd || WaitReadable(pidfd, limit);
}

void KillProcess(const ProcessIdentity& process) {
  const UniqueFd pidfd = OpenProcess(process);
  if (!pidfd) return;
  Signal(pidfd, SIGKILL);
  WaitReadable(pidfd, absl::Seconds(5));
}

void EndProcess(const ProcessIdentity& process, absl::Duration grace) {
  const UniqueFd pidfd = OpenProcess(process);
  if (!pidfd) return;
  Signal(pidfd, SIGTERM);
  Signal(pidfd, SIGCONT);  // a stopped process hears nothing
  if (!WaitReadable(pidfd, grace)) KillProcess(process);
}

}  // namespace mirrorfs
