#include "agent/service/reply.h"

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
    : pending_(std::exchange(other.pending_, nullptr)), held_(std::move(other.held_)) {}

Reply::~Reply() {
  if (pending_ != nullptr) Answer(ErrorAnswer(EIO));
}

void Reply::Answer(const grpc::ByteBuffer& answer) { Finish(answer, grpc::Status::OK); }

void Reply::Fail(const grpc::Status& status) { Finish({}, status); }

void Reply::Finish(const grpc::ByteBuffer& answer, const grpc::Status& status) {
  if (held_ != nullptr) held_->Answered(answer.Length());
  std::exchange(pending_, nullptr)->Finish(answer, status, std::move(held_));
}

}  // namespace mirrorfs
