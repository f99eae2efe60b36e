#include "launcher/tunnel/exec_carrier.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <utility>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/system/child_process.h"
#include "launcher/tunnel/tunnel_child.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// A command whose connection the daemon has closed ends by itself, if what is behind it passes that on.
constexpr absl::Duration kEndGrace = absl::Seconds(2);
// One that lived so long had reached the agent.
constexpr absl::Duration kLived = absl::Seconds(5);
constexpr int kMostFailures = 3;

}  // namespace

ExecCarrier::ExecCarrier(EventLoop& loop, ExecCarrierOptions options) : loop_(loop), options_(std::move(options)) {}

ExecCarrier::~ExecCarrier() {
  for (auto& [pid, stream] : streams_) {
    loop_.Unwatch(stream.connection.get());
    loop_.Cancel(stream.timer);
    ::shutdown(stream.connection.get(), SHUT_RDWR);
    KillTunnelChild(pid);
  }
}

absl::Status ExecCarrier::Carry(UniqueFd connection) {
  if (streams_.size() >= options_.max_streams) {
    return Failure(ExitCode::kFailed, fmt::format("there are {} connections already.", streams_.size()));
  }
  ASSIGN_OR_RETURN(
      const pid_t pid,
      StartTunnelChild({.command = options_.command, .variables = options_.variables, .stream = connection.get()}));
  const absl::Status watched = loop_.WatchChild(pid, [this, pid](int status) { OnEnd(pid, status); });
  if (!watched.ok()) {
    KillTunnelChild(pid);
    Reap(pid);
    return watched;
  }
  // Nothing is read here: only that the daemon closes it is noticed.
  loop_.Watch(connection.get(), POLLRDHUP, [this, pid] { OnLeft(pid); });
  streams_[pid] = Stream{.connection = std::move(connection), .since = absl::Now()};
  return absl::OkStatus();
}

void ExecCarrier::OnLeft(pid_t pid) {
  Stream& stream = streams_.at(pid);
  stream.left = true;
  loop_.Unwatch(stream.connection.get());
  ::shutdown(stream.connection.get(), SHUT_RDWR);
  stream.timer = loop_.After(kEndGrace, [pid] { KillTunnelChild(pid); });
}

void ExecCarrier::OnEnd(pid_t pid, int wait_status) {
  auto ended = streams_.extract(pid);
  const Stream& stream = ended.mapped();
  loop_.Unwatch(stream.connection.get());
  loop_.Cancel(stream.timer);
  // A program of the command's own may have it still.
  ::shutdown(stream.connection.get(), SHUT_RDWR);
  KillLeftBehind(pid);
  Judge(stream, wait_status);
}

void ExecCarrier::Judge(const Stream& stream, int wait_status) {
  // A client that somebody has killed says nothing of the agent; nor do several that were cut off at once.
  if (WIFSIGNALED(wait_status) || stream.since < last_failure_) return;
  const bool worked = stream.left || wait_status == 0 || absl::Now() - stream.since > kLived;
  failures_ = worked ? 0 : failures_ + 1;
  if (!worked) last_failure_ = absl::Now();
  if (failures_ == kMostFailures) options_.failing();
}

}  // namespace mirrorfs
