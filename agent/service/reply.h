// The answer that a request is owed.
#ifndef MIRRORFS_AGENT_SERVICE_REPLY_H_
#define MIRRORFS_AGENT_SERVICE_REPLY_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <memory>

namespace grpc {
class ServerUnaryReactor;
}

namespace mirrorfs {

// A reply whose header has `error`: all replies begin with their header, so it fits every method.
grpc::ByteBuffer ErrorAnswer(int error);

// Answers exactly once: by Answer or Fail, or with EIO when it is dropped. Not thread-safe.
class Reply {
 public:
  // `held` is let go when the answer has been given (the session's count of requests in flight).
  Reply(grpc::ServerUnaryReactor* reactor, grpc::ByteBuffer* out) : reactor_(reactor), out_(out) {}
  Reply(Reply&& other) noexcept;
  Reply& operator=(Reply&&) = delete;
  ~Reply();

  void Hold(std::shared_ptr<void> held) { held_ = std::move(held); }
  void Answer(grpc::ByteBuffer answer);
  void Fail(const grpc::Status& status);

 private:
  void Finish(const grpc::Status& status);

  grpc::ServerUnaryReactor* reactor_;  // null: answered
  grpc::ByteBuffer* out_;
  std::shared_ptr<void> held_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_REPLY_H_
