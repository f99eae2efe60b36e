#include "launcher/keeper/agent_query.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include "absl/time/clock.h"
#include "launcher/failure.h"
#include "launcher/keeper/agent_process.h"
#include "launcher/keeper/child_end.h"
#include "launcher/keeper/ending_signals.h"
#include "launcher/keeper/hand_over.h"
#include "launcher/system/child_process.h"
#include "launcher/system/process_identity.h"
#include "launcher/system/work_place.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kStopGrace = absl::Seconds(3);

// All until the other end is closed.
absl::StatusOr<std::string> ReadToEnd(int pipe, absl::Duration patience, EndingSignals& signals) {
  const absl::Time limit = absl::Now() + patience;
  std::string text;
  std::array<char, 16384> buffer;
  while (true) {
    std::array<pollfd, 2> wait = {
        {{.fd = pipe, .events = POLLIN, .revents = 0}, {.fd = signals.fd(), .events = POLLIN, .revents = 0}}};
    const absl::Duration left = std::max(limit - absl::Now(), absl::ZeroDuration());  // poll waits for ever if negative
    const int ready = ::poll(wait.data(), wait.size(), static_cast<int>(absl::ToInt64Milliseconds(left)));
    if (ready < 0 && errno == EINTR) continue;
    if (const std::optional<int> signal = signals.Next()) return EndedBy(*signal);
    if (ready <= 0) return Failure(ExitCode::kUnreachable, "mirrorfs-agent did not answer in time.");
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count < 0) return LastErrno("the agent's answer");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
  }
}

absl::StatusOr<ProcessFacts> Ask(const MountPlan& plan, const Invoker& invoker, EndingSignals& signals) {
  ASSIGN_OR_RETURN(const WorkPlace place, WorkPlace::ForSockets(invoker));
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return LastErrno("pipe2");
  const UniqueFd answer(ends[0]);
  UniqueFd agents_end(ends[1]);
  const UniqueFd nobody(::open("/dev/null", O_WRONLY | O_CLOEXEC));  // who is told that it is ready
  ASSIGN_OR_RETURN(const UniqueFd output, BytesAsFile(""));
  ASSIGN_OR_RETURN(const pid_t pid, StartAgentProcess(plan, {.socket = place.path() + "/agent",
                                                             .output = output.get(),
                                                             .ready = nobody.get(),
                                                             .facts = agents_end.get()}));
  agents_end.reset();
  const absl::StatusOr<std::string> text = ReadToEnd(answer.get(), AgentStartLimit(plan.agent_mode), signals);
  EndProcess(IdentifyProcess(pid), kStopGrace);  // nothing if it has ended
  const int status = Reap(pid);
  RETURN_IF_ERROR(text.status());
  if (text->empty()) return StartFailure(AgentProcessName(plan.agent_mode), status, BytesOfFile(output));
  return ParseProcessFacts(*text);
}

}  // namespace

absl::StatusOr<ProcessFacts> AskAgent(const MountPlan& plan, const Invoker& invoker) {
  EndingSignals signals;
  absl::StatusOr<ProcessFacts> facts = Ask(plan, invoker, signals);
  if (facts.ok() || !MayTryExec(plan, facts.status())) return facts;
  MountPlan in_container = plan;
  in_container.agent_mode = AgentMode::kExec;
  absl::StatusOr<ProcessFacts> others = Ask(in_container, invoker, signals);
  if (others.ok()) return others;
  return NeitherWay(facts.status(), others.status());
}

}  // namespace mirrorfs
