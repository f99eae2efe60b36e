#include "fusefs/remote/caller.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/time/clock.h"
#include "fmt/format.h"
#include "fusefs/remote/deadline.h"
#include "protos/wire/convert_files.h"
#include "spdlog/spdlog.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(5);
constexpr absl::Duration kLongestPause = absl::Milliseconds(250);
constexpr absl::Duration kFirstFencePause = absl::Milliseconds(1);
constexpr absl::Duration kFenceWait = absl::Milliseconds(300);
// A reply that gRPC itself cannot take (it does not parse, is too long) is asked for so many times.
constexpr int kMostBrokenReplies = 3;
// When a call has waited a whole deadline in vain, the next ones wait this part of one.
constexpr int kPartAfterSilence = 10;
constexpr double kWholeWait = 0.9;  // it may have been given its deadline a moment before it was begun

// Whether the agent itself has refused to begin: it was not done for sure.
bool WasRefused(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::NOT_FOUND ||
         status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
}

bool TooLong(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED &&
         status.error_message().find("larger than max") != std::string::npos;
}

}  // namespace

struct RemoteCaller::Try {
  Method method;
  const CallContext& context;
  v1::RequestHeader& header;
  absl::Time deadline;
  SessionLink::Session session;               // of the last attempt
  Generation maybe_done = Generation::kNone;  // an attempt in that session may have had its effect
  absl::Time begun = absl::Now();
  int attempts = 0;
  int broken_replies = 0;
  absl::Duration pause = kFirstPause;

  const MethodFacts& Facts() const { return FactsOf(method); }
  bool Numbered() const { return Facts().repeat != Repeat::kFreely; }
};

absl::StatusOr<Generation> RemoteCaller::Run(Method method, const CallContext& context, v1::RequestHeader& header,
                                             Attempt send) {
  Try attempt{.method = method, .context = context, .header = header, .deadline = context.deadline, .session = {}};
  if (attempt.deadline == absl::InfiniteFuture()) attempt.deadline = DeadlineOf(context);
  if (send_caller_) Pack(context.caller, *header.mutable_caller());
  if (attempt.Numbered()) header.set_sequence(sequences_.Begin());
  const absl::Cleanup answered = [&] {
    if (attempt.Numbered()) sequences_.End(header.sequence());
  };
  while (true) {
    const absl::StatusOr<bool> done = Once(attempt, send);
    if (done.ok() && *done) return attempt.session.generation;
    if (!done.ok()) {
      if (AnsweredAfterAll(attempt, send)) return attempt.session.generation;
      return done.status();
    }
  }
}

// A request may need several calls: with an agent that is silent they have one deadline together. Nor does each request
// wait anew once one has waited in vain, since the kernel lets many wait for one name one after the other; the
// heartbeat hears of the agent when it is back.
absl::Time RemoteCaller::DeadlineOf(const CallContext& context) const {
  const absl::Time now = absl::Now();
  const absl::Time waiting_since =
      context.begun == absl::InfinitePast() ? now : std::max(context.begun, link_.LastHeard());
  if (!link_.IsSilent()) return waiting_since + deadline_;
  return std::min(waiting_since + deadline_, now + deadline_ / kPartAfterSilence);
}

// True: answered. False: to be tried again.
absl::StatusOr<bool> RemoteCaller::Once(Try& attempt, Attempt send) {
  if (attempt.context.stop.stop_requested()) return ErrnoStatus(EINTR, attempt.Facts().name);
  ASSIGN_OR_RETURN(const SessionLink::Session session, link_.Present(attempt.deadline, attempt.context.stop));
  if (attempt.maybe_done != Generation::kNone && attempt.maybe_done != session.generation) {
    if (attempt.Facts().repeat == Repeat::kSameSession) {
      return ErrnoStatus(EIO, "the agent was lost before it answered");
    }
    if (attempt.Facts().repeat == Repeat::kNotNeeded) return true;
  }
  FillHeader(attempt, session);
  BoundedContext client(attempt.deadline, attempt.context.stop, channels_.Present()->GivenUp());
  client.Get().set_wait_for_ready(true);
  counters_.Sent(attempt.method, attempt.attempts++ > 0);
  const grpc::Status status = send(client.Get());
  if (!status.ok()) return AfterFailure(attempt, status);
  link_.HeardOf();
  return true;
}

void RemoteCaller::FillHeader(Try& attempt, const SessionLink::Session& session) {
  attempt.session = session;
  v1::RequestHeader& header = attempt.header;
  header.set_session(session.id);
  SequenceWindow::Acknowledgement acknowledgement = sequences_.Take();
  header.set_answered_below(acknowledgement.answered_below);
  header.mutable_answered()->Assign(acknowledgement.answered.begin(), acknowledgement.answered.end());
  if (attempt.Facts().repeat == Repeat::kSameSession) header.set_expires_at_ns(link_.OnAgentClock(attempt.deadline));
}

absl::StatusOr<bool> RemoteCaller::AfterFailure(Try& attempt, const grpc::Status& status) {
  if (!WasRefused(status)) attempt.maybe_done = attempt.session.generation;
  switch (status.error_code()) {
    case grpc::StatusCode::NOT_FOUND:
      if (attempt.method == Method::kDetach) return true;  // it has ended
      if (const absl::Status renewed = link_.Renew(attempt.session.generation, attempt.deadline, attempt.context.stop);
          HasErrno(renewed)) {
        return renewed;
      }
      break;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      if (attempt.Facts().may_be_long && AgentIsAlive()) {
        attempt.deadline = absl::Now() + deadline_;
        return false;
      }
      if (attempt.deadline - attempt.begun >= deadline_ * kWholeWait) link_.NoteSilence(attempt.begun);
      return ErrnoStatus(ETIMEDOUT, attempt.Facts().name);
    case grpc::StatusCode::CANCELLED:
      if (attempt.context.stop.stop_requested()) return ErrnoStatus(EINTR, attempt.Facts().name);
      break;
    case grpc::StatusCode::UNAVAILABLE:
      break;
    default:
      if (TooLong(status)) return Lie(attempt.method, absl::InternalError(status.error_message()));
      if (WasRefused(status)) break;
      if (++attempt.broken_replies >= kMostBrokenReplies) {
        return Lie(attempt.method,
                   absl::InternalError(fmt::format("gRPC status {} {}", static_cast<int>(status.error_code()),
                                                   status.error_message().substr(0, 200))));
      }
  }
  RETURN_IF_ERROR(Pause(attempt));
  return false;
}

bool RemoteCaller::AgentIsAlive() const { return absl::Now() - link_.LastHeard() < deadline_; }

absl::Status RemoteCaller::Pause(Try& attempt) {
  const absl::Time until = std::min(absl::Now() + attempt.pause, attempt.deadline);
  attempt.pause = std::min(attempt.pause * 2, kLongestPause);
  std::mutex mutex;
  std::unique_lock<std::mutex> lock(mutex);
  std::condition_variable_any never;
  never.wait_until(lock, attempt.context.stop, absl::ToChronoTime(until), [] { return false; });
  if (attempt.context.stop.stop_requested()) return ErrnoStatus(EINTR, attempt.Facts().name);
  if (absl::Now() >= attempt.deadline) return ErrnoStatus(ETIMEDOUT, attempt.Facts().name);
  return absl::OkStatus();
}

bool RemoteCaller::AnsweredAfterAll(Try& attempt, Attempt send) {
  if (!attempt.Numbered() || attempt.Facts().repeat == Repeat::kNotNeeded) return false;
  if (attempt.maybe_done == Generation::kNone) return false;
  // An agent that has been silent all the time will not hear of a fence either: what was sent to it expires there.
  if (!attempt.context.stop.stop_requested() && link_.LastHeard() < attempt.begun) return false;
  const absl::StatusOr<SessionLink::Session> session = link_.Present(absl::Now(), {});
  if (!session.ok() || session->generation != attempt.maybe_done) return false;
  if (!IsDone(session->id, attempt.header.sequence())) return false;
  attempt.header.clear_answered();
  BoundedContext again(absl::Now() + kFenceWait, {}, {});
  counters_.Sent(attempt.method, true);
  return send(again.Get()).ok();
}

// Fences it. What runs just now may be over in a moment, or be put aside: then it is known.
bool RemoteCaller::IsDone(uint64_t session, uint64_t sequence) {
  const absl::Time end = absl::Now() + kFenceWait;
  v1::FenceRequest request;
  request.mutable_header()->set_session(session);
  request.add_sequences(sequence);
  for (absl::Duration pause = kFirstFencePause;; pause *= 2) {
    v1::FenceReply reply;
    BoundedContext fence(end, {}, {});
    counters_.Sent(Method::kFence, false);
    if (!channels_.Present()->Stub().Fence(&fence.Get(), request, &reply).ok() || reply.outcomes_size() != 1)
      return false;
    if (reply.outcomes(0) != v1::FENCE_RUNNING) return reply.outcomes(0) == v1::FENCE_DONE;
    if (absl::Now() + pause >= end) return false;
    absl::SleepFor(pause);
  }
}

absl::Status RemoteCaller::CheckHeader(Method method, const v1::ReplyHeader& header) {
  if (header.error() == 0) return absl::OkStatus();
  counters_.Error(method);
  if (!IsErrno(header.error())) return Lie(method, absl::InternalError("an impossible errno"));
  return ErrnoStatus(header.error(), FactsOf(method).name);
}

absl::Status RemoteCaller::Lie(Method method, const absl::Status& what) {
  spdlog::warn("{}: the agent's answer cannot be right: {}", FactsOf(method).name, std::string(what.message()));
  return ErrnoStatus(EIO, FactsOf(method).name);
}

}  // namespace mirrorfs
