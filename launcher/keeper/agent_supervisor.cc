#include "launcher/keeper/agent_supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/keeper/agent_process.h"
#include "launcher/keeper/child_end.h"
#include "launcher/keeper/progress.h"
#include "launcher/kubernetes/container_name.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kStopGrace = absl::Seconds(3);
constexpr absl::Duration kFirstBackOff = absl::Milliseconds(50);
constexpr absl::Duration kLongestBackOff = absl::Seconds(5);
// An agent that ran for so long was all right: the next failure is a new one.
constexpr absl::Duration kRanWell = absl::Seconds(10);

}  // namespace

AgentSupervisor::AgentSupervisor(EventLoop& loop, spdlog::logger& logger, const MountPlan& plan, std::string socket,
                                 const ChildLog& log, Listener listener)
    : loop_(loop),
      logger_(logger),
      plan_(plan),
      socket_(std::move(socket)),
      log_(log),
      listener_(std::move(listener)),
      back_off_(kFirstBackOff) {}

void AgentSupervisor::Start(UniqueFd facts) {
  facts_ = std::move(facts);
  Enter(State::kStarting);
  if (const absl::Status status = Spawn(); !status.ok()) return FailStart(status);
  const absl::Duration limit = AgentStartLimit(plan_.agent_mode);
  timer_ = loop_.After(limit, [this, limit] {
    FailStart(Failure(ExitCode::kUnreachable,
                      fmt::format("mirrorfs-agent was not ready after {} s.", absl::ToInt64Seconds(limit))));
  });
}

void AgentSupervisor::Stop() {
  loop_.Cancel(timer_);
  StopListening();
  state_ = State::kIdle;
  EndLeft();
  EndProcess(std::exchange(process_, {}), kStopGrace);
}

void AgentSupervisor::Resume() { ScheduleRestart(); }

absl::Status AgentSupervisor::Spawn() {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return LastErrno("pipe2");
  lines_.emplace(UniqueFd(ends[0]));
  const UniqueFd child_end(ends[1]);
  if (left_.pid == 0) ::unlink(socket_.c_str());  // of an agent that was killed
  log_position_ = log_.Position();
  started_at_ = absl::Now();
  ASSIGN_OR_RETURN(const pid_t pid, StartAgentProcess(plan_, {.socket = socket_,
                                                              .output = log_.fd(),
                                                              .ready = child_end.get(),
                                                              .facts = facts_ ? facts_.get() : -1,
                                                              .expected_container = container_,
                                                              .left_container = left_container_}));
  process_ = IdentifyProcess(pid);
  listener_.changed();
  RETURN_IF_ERROR(loop_.WatchChild(pid, [this, pid](int status) { OnEnd(pid, status); }));
  loop_.Watch(lines_->fd(), POLLIN, [this] { OnLines(); });
  return absl::OkStatus();
}

void AgentSupervisor::OnLines() {
  lines_->Receive();
  // At its end it is about to end itself, and OnEnd tells why.
  if (lines_->AtEnd()) return StopListening();
  while (lines_) {
    const std::optional<std::string> line = lines_->Next();
    if (!line) return;
    Hear(ParseAgentLine(*line));
  }
}

void AgentSupervisor::Hear(const AgentLine& line) {
  switch (line.says) {
    case AgentSays::kProgress:
      return listener_.progress(line.step, line.text);
    case AgentSays::kContainer:
      container_ = line.text;
      return;
    case AgentSays::kPod:
      pod_ = line.text;
      return;
    case AgentSays::kReady:
      return OnReady();
    case AgentSays::kTargetGone:
      return OnTargetGone();
    case AgentSays::kNothing:
      return;
  }
}

void AgentSupervisor::StopListening() {
  if (lines_) loop_.Unwatch(lines_->fd());
  lines_.reset();
}

void AgentSupervisor::OnTargetGone() {
  logger_.error("{} has ended; operations on the mount fail {}", plan_.target,
                plan_.Follows()       ? "until another one has taken its place"
                : plan_.IsInCluster() ? "from now on (a mount with --follow would go on in what takes its place)"
                                      : "from now on");
  if (plan_.Follows()) return Follow();
  Enter(State::kTargetGone);
}

// The agent of the one that has ended goes on to say so until there is another one: nobody is to wait for that.
void AgentSupervisor::Follow() {
  loop_.Cancel(timer_);
  StopListening();
  left_ = std::exchange(process_, {});
  left_container_ = std::exchange(container_, {});
  plan_.workload = plan_.followed;
  back_off_ = kFirstBackOff;
  Enter(State::kFollowing);
  ScheduleStart();
}

// It must not tidy up: the socket is the next one's by now.
void AgentSupervisor::EndLeft() { KillProcess(std::exchange(left_, {})); }

std::string AgentSupervisor::Place() const {
  const std::optional<NamedContainer> named = ParseContainerName(container_);
  return named ? named->said : std::string();
}

void AgentSupervisor::OnReady() {
  const State before = state_;
  loop_.Cancel(timer_);
  facts_.reset();
  EndLeft();
  left_container_.clear();
  Enter(State::kReady);
  if (before == State::kStarting) return listener_.ready();
  if (before == State::kFollowing) {
    logger_.warn("{} goes on in {}: a new root; files opened before are stale", plan_.target, Place());
  } else {
    logger_.info("the agent runs again (pid {})", process_.pid);
  }
}

void AgentSupervisor::OnEnd(pid_t pid, int wait_status) {
  if (pid == left_.pid) left_ = {};
  if (pid != process_.pid) return;  // one that Stop has ended
  process_ = {};
  StopListening();
  if (state_ == State::kStarting) {
    return OnStartFailed(StartFailure(AgentProcessName(plan_.agent_mode), wait_status, log_.TextSince(log_position_)));
  }
  if (state_ == State::kFollowing) return ScheduleStart();
  logger_.error("the agent {}", DescribeEnd(wait_status));
  if (ExitCodeOfChild(wait_status) == ExitCode::kNoTarget) return OnTargetGone();
  ScheduleRestart();
}

void AgentSupervisor::OnStartFailed(const absl::Status& why) {
  if (!MayTryExec(plan_, why)) return FailStart(refused_.ok() ? why : NeitherWay(refused_, why));
  if (plan_.IsInCluster()) {
    listener_.progress(kModeStep, fmt::format("exec, as {} failed: {}", ToWord(plan_.agent_mode), MessageOf(why)));
  } else {
    logger_.info("{} The agent is put into the container (--agent exec).", MessageOf(why));
  }
  refused_ = why;
  plan_.agent_mode = AgentMode::kExec;
  loop_.Cancel(timer_);
  Start(std::move(facts_));
}

void AgentSupervisor::FailStart(const absl::Status& why) {
  loop_.Cancel(timer_);
  listener_.failed(why);
}

void AgentSupervisor::ScheduleRestart() {
  if (absl::Now() - started_at_ > kRanWell) back_off_ = kFirstBackOff;
  Enter(State::kRestarting);
  ScheduleStart();
}

void AgentSupervisor::ScheduleStart() {
  timer_ = loop_.After(back_off_, [this] {
    if (const absl::Status status = Spawn(); !status.ok()) {
      logger_.error("the agent cannot be started: {}", MessageOf(status));
      ScheduleStart();
    }
  });
  back_off_ = std::min(back_off_ * 2, kLongestBackOff);
}

void AgentSupervisor::Enter(State state) {
  state_ = state;
  listener_.changed();
}

const char* ToWord(AgentSupervisor::State state) {
  switch (state) {
    case AgentSupervisor::State::kIdle:
      return "none";
    case AgentSupervisor::State::kStarting:
      return "starting";
    case AgentSupervisor::State::kReady:
      return "ready";
    case AgentSupervisor::State::kRestarting:
      return "restarting";
    case AgentSupervisor::State::kTargetGone:
      return "target gone";
    case AgentSupervisor::State::kFollowing:
      return "following";
  }
  return "unknown";
}

}  // namespace mirrorfs
