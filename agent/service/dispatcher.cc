#include "agent/service/dispatcher.h"

#include <cerrno>
#include <utility>

#include "protos/wire/boot_clock.h"
#include "protos/wire/convert_files.h"

namespace mirrorfs {

// A request on its way through the worker pool.
class Dispatcher::PendingCall : public WorkerTask {
 public:
  PendingCall(Dispatcher& dispatcher, Pending pending) : dispatcher_(dispatcher), pending_(std::move(pending)) {}

  void Run() override { dispatcher_.Run(std::move(pending_)); }
  void Expire() override { dispatcher_.Expire(pending_); }
  absl::Time Deadline() const override { return pending_.context.deadline; }

 private:
  Dispatcher& dispatcher_;
  Pending pending_;
};

grpc::Status Dispatcher::UnknownSession() {
  return grpc::Status(grpc::StatusCode::NOT_FOUND, "unknown session: it has ended, or the agent has restarted");
}

void Dispatcher::Dispatch(const Method& method, const grpc::ByteBuffer& request, absl::Time deadline, Reply reply) {
  if (request.Length() > method.traits.most_bytes) {
    return reply.Fail(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the request is longer than any of its kind"));
  }
  ParsedCall call = method.parse(request);
  if (!call.ok()) {
    return reply.Fail(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, std::string(call.status().message())));
  }
  const v1::RequestHeader& header = (*call)->Header();
  std::shared_ptr<Session> session = sessions_.Find(SessionId{header.session()});
  if (session == nullptr) return reply.Fail(UnknownSession());
  session->Touch();
  session->Replies().Acknowledge(header.answered_below(), header.answered());
  absl::StatusOr<Caller> caller = Unpack(header.caller());
  if (!caller.ok()) return reply.Answer(ErrorAnswer(EINVAL));
  std::unique_ptr<InFlight> held = session->Account().Enter(request.Length(), (*call)->AnswerBytes());
  if (held == nullptr) {
    return reply.Fail(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many requests in flight"));
  }
  reply.Hold(std::move(held));

  Pending pending{.method = method, .session = session, .call = nullptr, .context = {}, .reply = {}, .started = false};
  pending.context = {.caller = *std::move(caller), .deadline = deadline, .stop = {}};
  if (header.sequence() != 0) {
    if (!session->Replies().Accept(header.sequence(), std::move(reply))) return;
  } else {
    pending.reply.emplace(std::move(reply));
  }
  pending.call = *std::move(call);
  const WorkerPool::Lane lane = LaneOf(pending);
  const bool brief = !method.traits.takes_long && pending.call->IsBrief();
  auto task = std::make_unique<PendingCall>(*this, std::move(pending));
  if (brief) {
    pool_.RunOrSubmit(lane, std::move(task));
  } else {
    pool_.Submit(lane, std::move(task));
  }
}

WorkerPool::Lane Dispatcher::LaneOf(const Pending& pending) const {
  return {ToNumber(pending.session->Id()), pending.session->Files().DeviceOf(pending.call->Where())};
}

void Dispatcher::Run(Pending pending) {
  if (absl::Now() > pending.context.deadline) return Expire(pending);
  const uint64_t sequence = pending.call->Header().sequence();
  if (sequence != 0 && !pending.started && !pending.session->Replies().Start(sequence)) return;
  pending.started = true;
  if (pending.session->Ended()) return Fail(pending, UnknownSession());
  if (const int error = Refusal(pending); error != 0) return Finish(pending, ErrorAnswer(error));
  const std::optional<grpc::ByteBuffer> answer = pending.call->Run(*pending.session, pending.context);
  if (!answer.has_value()) {
    if (sequence != 0 && !pending.session->Replies().Suspend(sequence)) return;
    pending.started = false;
    const WorkerPool::Lane lane = LaneOf(pending);
    return lock_waiters_.Park(lane, std::make_unique<PendingCall>(*this, std::move(pending)));
  }
  Finish(pending, *answer);
  if (pending.method.traits.frees_locks) lock_waiters_.Kick();
}

void Dispatcher::Expire(Pending& pending) {
  // It has not been begun, and will not be: this answer is kept under its number.
  if (absl::Now() > pending.context.deadline) return Finish(pending, ErrorAnswer(ETIMEDOUT));
  Fail(pending, grpc::Status(grpc::StatusCode::UNAVAILABLE, "the agent ends"));
}

int Dispatcher::Refusal(const Pending& pending) const {
  const MethodTraits& traits = pending.method.traits;
  const v1::RequestHeader& header = pending.call->Header();
  if (traits.changes_tree && !pending.session->Terms().read_write) return EROFS;
  if (header.expires_at_ns() != 0 && BootClockNs() > header.expires_at_ns()) return EIO;
  if (!traits.gives_back && !target_.Alive()) {
    return pending.call->Where().handle == HandleId::kNone ? EHOSTDOWN : ESTALE;
  }
  return 0;
}

void Dispatcher::Finish(Pending& pending, const grpc::ByteBuffer& answer) {
  if (pending.reply.has_value()) {
    pending.reply->Answer(answer);
  } else {
    pending.session->Replies().Finish(pending.call->Header().sequence(), answer);
  }
}

void Dispatcher::Fail(Pending& pending, const grpc::Status& why) {
  if (pending.reply.has_value()) {
    pending.reply->Fail(why);
  } else {
    pending.session->Replies().Refuse(pending.call->Header().sequence(), why);
  }
}

}  // namespace mirrorfs
