#include "agent/target/child_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  Wait().IgnoreError();
}

absl::StatusOr<std::string> ChildProcess::ReadOutput(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  std::string text;
  std::array<char, 16384> buffer;
  while (true) {
    const int64_t left = std::max<int64_t>(0, absl::ToInt64Milliseconds(deadline - absl::Now()));
    pollfd poll = {.fd = output_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return LastErrno("poll");
    if (ready == 0) return absl::DeadlineExceededError("no answer in time");
    const ssize_t count = ::read(output_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return LastErrno("read");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
  }
}

absl::StatusOr<int> ChildProcess::Wait() {
  int status = 0;
  pid_t waited = 0;
  do {
    waited = ::waitpid(pid_, &status, 0);
  } while (waited < 0 && errno == EINTR);
  if (waited < 0) return LastErrno("waitpid");
  pid_ = 0;
  return status;
}

}  // namespace mirrorfs
