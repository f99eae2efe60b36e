// SetLock: the one call that may have to wait for another client. It never waits in a thread: it is tried, put aside,
// and tried again.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/service/handlers.h"
#include "protos/wire/convert_files.h"

namespace mirrorfs::handlers {
namespace {

// Longest that one call is held back; the client asks again.
constexpr absl::Duration kLongestWait = absl::Seconds(1);

class SetLockCall : public Call {
 public:
  explicit SetLockCall(v1::SetLockRequest request)
      : request_(std::move(request)),
        give_up_(absl::Now() + std::min(absl::Milliseconds(request_.wait_ms()), kLongestWait)) {}

  const v1::RequestHeader& Header() const override { return request_.header(); }
  NodeOrHandle Where() const override { return WhereOf(request_); }
  std::optional<grpc::ByteBuffer> Run(Session& session, const CallContext& context) override {
    const absl::Status status = Try(session, context);
    if (ToErrno(status) == EAGAIN && absl::Now() < give_up_) return std::nullopt;
    v1::SetLockReply answer;
    return PackAnswer(status, answer);
  }

 private:
  absl::Status Try(Session& session, const CallContext& context) const {
    ASSIGN_OR_RETURN(const LockRange lock, Unpack(request_.lock()));
    ASSIGN_OR_RETURN(const LockKind kind, Unpack(request_.kind()));
    return session.Files().SetLock(context, HandleId{request_.handle()}, LockOwner{request_.owner()}, kind, lock,
                                   absl::ZeroDuration());
  }

  const v1::SetLockRequest request_;
  const absl::Time give_up_;
};

}  // namespace

ParsedCall ParseSetLock(const grpc::ByteBuffer& bytes) {
  v1::SetLockRequest request;
  RETURN_IF_ERROR(DecodeMessage(bytes, request));
  return std::make_unique<SetLockCall>(std::move(request));
}

}  // namespace mirrorfs::handlers
