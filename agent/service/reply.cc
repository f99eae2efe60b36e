#include "agent/service/reply.h"

#include <grpcpp/support/server_callback.h>

#include <cerrno>
#include <utility>

#include "mirrorfs/v1/filesystem.pb.h"
#include "protos/wire/bulk.h"

namespace mirrorfs {

grpc::ByteBuffer ErrorAnswer(int error) {
  v1::EmptyReply reply;
  reply.mutable_header()->set_error(error);
  return EncodeMessage(reply);
}

Reply::Reply(Reply&& other) noexcept
    : reactor_(std::exchange(other.reactor_, nullptr)), out_(other.out_), held_(std::move(other.held_)) {}

Reply::~Reply() {
  if (reactor_ != nullptr) Answer(ErrorAnswer(EIO));
}

void Reply::Answer(grpc::ByteBuffer answer) {
  out_->Swap(&answer);
  Finish(grpc::Status::OK);
}

void Reply::Fail(const grpc::Status& status) { Finish(status); }

void Reply::Finish(const grpc::Status& status) {
  held_.reset();
  std::exchange(reactor_, nullptr)->Finish(status);
}

}  // namespace mirrorfs
