#include "launcher/keeper/daemon_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <utility>
#include <vector>

#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/child_end.h"
#include "launcher/plan/child_commands.h"
#include "launcher/system/child_process.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Beyond the deadline that each of its steps has: connecting, mounting, the probe read.
constexpr absl::Duration kStartSlack = absl::Seconds(20);
constexpr absl::Duration kStopGrace = absl::Seconds(3);

}  // namespace

DaemonRunner::DaemonRunner(EventLoop& loop, spdlog::logger& logger, const MountPlan& plan, const ChildLog& log,
                           Listener listener)
    : loop_(loop), logger_(logger), plan_(plan), log_(log), listener_(std::move(listener)) {}

void DaemonRunner::Start(const std::string& endpoint, UniqueFd mounted) {
  state_ = State::kStarting;
  if (const absl::Status status = Spawn(endpoint, mounted); !status.ok()) {
    state_ = State::kEnded;
    return listener_.failed(status);
  }
  SetStartLimit();
}

absl::Status DaemonRunner::Spawn(const std::string& endpoint, const UniqueFd& mounted) {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return LastErrno("socketpair");
  channel_.emplace(UniqueFd(ends[0]));
  ::fcntl(channel_->fd(), F_SETFL, O_NONBLOCK);  // the keeper never waits for the daemon
  const UniqueFd child_end(ends[1]);
  log_position_ = log_.Position();
  std::vector<int> descriptors = {child_end.get()};
  if (mounted) descriptors.push_back(mounted.get());
  ASSIGN_OR_RETURN(const pid_t pid, StartChild({.program = plan_.daemon_path,
                                                .command = DaemonCommand(plan_, endpoint, kFirstChildDescriptor),
                                                .output = log_.fd(),
                                                .descriptors = descriptors}));
  process_ = IdentifyProcess(pid);
  RETURN_IF_ERROR(loop_.WatchChild(pid, [this](int status) { OnEnd(status); }));
  loop_.Watch(channel_->fd(), POLLIN, [this] { OnMessages(); });
  return absl::OkStatus();
}

void DaemonRunner::SetStartLimit() {
  if (plan_.deadline_seconds == 0) return;  // --hard: as long as it takes
  timer_ = loop_.After(absl::Seconds(plan_.deadline_seconds * 2) + kStartSlack, [this] {
    failure_ = Failure(ExitCode::kUnreachable, "mirrorfsd was not ready in time; its agent may not answer.");
    EndProcess(process_, kStopGrace);
  });
}

void DaemonRunner::RequestStats(StatsReply reply) {
  if (state_ != State::kServing || !channel_) {
    return reply(Failure(ExitCode::kUnreachable, "the daemon of this mount does not run any more."));
  }
  waiting_for_stats_.push_back(std::move(reply));
  // A failure shows as the end of the channel, where the waiting ones are answered.
  if (!channel_->Send(ToLine({{"request", "stats"}})).ok()) CloseChannel();
}

void DaemonRunner::Kill() {
  loop_.Cancel(timer_);
  EndProcess(process_, kStopGrace);
}

void DaemonRunner::OnMessages() {
  channel_->Receive();
  while (channel_) {
    const auto line = channel_->Next();
    if (!line) break;
    if (const auto message = FromLine(*line)) OnMessage(*message);
  }
  if (channel_ && channel_->AtEnd()) CloseChannel();
}

void DaemonRunner::OnMessage(const nlohmann::json& message) {
  const std::string event = TextField(message, "event");
  if (event == "ready" && state_ == State::kStarting) {
    loop_.Cancel(timer_);
    state_ = State::kServing;
    listener_.ready(message);
  } else if (event == "failed") {
    failure_ = StatusFromJson(message);
  } else if (event == "copying") {
    listener_.copying({.path = TextField(message, "path"),
                       .done = static_cast<uint64_t>(NumberField(message, "done")),
                       .size = static_cast<uint64_t>(NumberField(message, "size")),
                       .over = FlagField(message, "over")});
  } else if (message.contains("stats") && !waiting_for_stats_.empty()) {
    const StatsReply reply = std::move(waiting_for_stats_.front());
    waiting_for_stats_.pop_front();
    reply(message["stats"]);
  } else {
    logger_.warn("the daemon said something that is not understood: {}", ToLine(message));
  }
}

void DaemonRunner::OnEnd(int wait_status) {
  loop_.Cancel(timer_);
  if (channel_) OnMessages();  // its last words
  CloseChannel();
  process_ = {};
  const State before = std::exchange(state_, State::kEnded);
  if (before == State::kServing) return listener_.ended(wait_status);
  const std::string output = log_.TextSince(log_position_);
  listener_.failed(failure_ ? WithFuseOutput(*failure_, output) : StartFailure("mirrorfsd", wait_status, output));
}

void DaemonRunner::CloseChannel() {
  if (!channel_) return;
  loop_.Unwatch(channel_->fd());
  channel_.reset();
  for (const StatsReply& reply : std::exchange(waiting_for_stats_, {})) {
    reply(Failure(ExitCode::kUnreachable, "the daemon ended before it answered."));
  }
}

}  // namespace mirrorfs
