// One request, parsed and ready to be run: the step between gRPC's bytes and the rooted file system.
#ifndef MIRRORFS_AGENT_SERVICE_CALL_H_
#define MIRRORFS_AGENT_SERVICE_CALL_H_

#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <type_traits>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "agent/service/reply.h"
#include "agent/service/session.h"
#include "mirrorfs/v1/filesystem.pb.h"
#include "protos/shared/errno_status.h"
#include "protos/wire/bulk.h"

namespace mirrorfs {

inline constexpr size_t kMostXattr = 64 << 10;  // the kernel's XATTR_SIZE_MAX and XATTR_LIST_MAX

class Call {
 public:
  virtual ~Call() = default;
  virtual const v1::RequestHeader& Header() const = 0;
  // What the request is about: decides in which lane it waits.
  virtual NodeOrHandle Where() const = 0;
  // The most that its answer may take, if that is much.
  virtual size_t AnswerBytes() const { return 0; }
  // Whether it moves few bytes.
  virtual bool IsBrief() const { return true; }
  // The whole answer, errors included; nullopt: not yet, run it again when a lock may have become free.
  virtual std::optional<grpc::ByteBuffer> Run(Session& session, const CallContext& context) = 0;
};

using ParsedCall = absl::StatusOr<std::unique_ptr<Call>>;

// A handler unpacks its request, makes one call of the file system and packs the answer.
template <typename Request, typename Answer>
using Handler = absl::Status (*)(Session&, const CallContext&, const Request&, Answer&);

template <typename Request>
NodeOrHandle WhereOf(const Request& request) {
  NodeOrHandle where;
  if constexpr (requires { request.parent(); }) {
    where.node = NodeId{request.parent()};
  } else if constexpr (requires { request.node(); }) {
    where.node = NodeId{request.node()};
  }
  if constexpr (requires { request.destination_handle(); }) {
    where.handle = HandleId{request.destination_handle()};
  } else if constexpr (
      requires { request.handle(); } && !requires { request.flags(); }) {
    // Open and Create name a handle that is not there yet.
    where.handle = HandleId{request.handle()};
  }
  return where;
}

template <typename Answer>
grpc::ByteBuffer PackAnswer(const absl::Status& status, Answer& answer) {
  if (!status.ok()) return ErrorAnswer(ToErrno(status));
  answer.mutable_header();  // present even if it says nothing
  return EncodeMessage(answer);
}

template <typename Request, typename Answer>
class UnaryCall : public Call {
 public:
  using HandlerType = Handler<Request, Answer>;
  UnaryCall(Request request, HandlerType handler) : request_(std::move(request)), handler_(handler) {}

  const v1::RequestHeader& Header() const override { return request_.header(); }
  NodeOrHandle Where() const override { return WhereOf(request_); }
  size_t AnswerBytes() const override {
    if constexpr (requires { request_.max_bytes(); }) {
      return std::min(request_.max_bytes(), SessionLimits().max_page);
    } else if constexpr (requires { request_.inline_bytes(); }) {
      return std::min(request_.inline_bytes(), SessionLimits().max_read);
    } else if constexpr (std::is_same_v<Answer, v1::GetXattrReply> || std::is_same_v<Answer, v1::ListXattrReply>) {
      return kMostXattr;
    } else {
      return 0;
    }
  }
  std::optional<grpc::ByteBuffer> Run(Session& session, const CallContext& context) override {
    Answer answer;
    const absl::Status status = handler_(session, context, request_, answer);
    return PackAnswer(status, answer);
  }

 private:
  const Request request_;
  const HandlerType handler_;
};

namespace call_internal {
template <typename Function>
struct HandlerTypes;
template <typename Request, typename Answer>
struct HandlerTypes<Handler<Request, Answer>> {
  using RequestType = Request;
  using AnswerType = Answer;
};
}  // namespace call_internal

// Parses the request of a method that `handler` serves.
template <auto handler>
ParsedCall ParseUnary(const grpc::ByteBuffer& bytes) {
  using Types = call_internal::HandlerTypes<decltype(handler)>;
  typename Types::RequestType request;
  RETURN_IF_ERROR(DecodeMessage(bytes, request));
  return std::make_unique<UnaryCall<typename Types::RequestType, typename Types::AnswerType>>(std::move(request),
                                                                                              handler);
}

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_CALL_H_
