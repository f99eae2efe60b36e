// The answer that a request is owed.
#ifndef MIRRORFS_AGENT_SERVICE_REPLY_H_
#define MIRRORFS_AGENT_SERVICE_REPLY_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <memory>

#include "agent/service/session_account.h"

namespace mirrorfs {

// Where an answer goes, once. It may be gone when Finish returns.
class PendingAnswer {
 public:
  // `answer` counts if `status` is OK. `held` is let go when the client has the answer.
  virtual void Finish(const grpc::ByteBuffer& answer, const grpc::Status& status, std::unique_ptr<InFlight> held) = 0;

 protected:
  ~PendingAnswer() = default;
};

// A reply whose header has `error`: all replies begin with their header, so it fits every method.
grpc::ByteBuffer ErrorAnswer(int error);

// Answers exactly once: by Answer or Fail, or with EIO when it is dropped. Not thread-safe.
class Reply {
 public:
  explicit Reply(PendingAnswer* pending) : pending_(pending) {}
  Reply(Reply&& other) noexcept;
  Reply& operator=(Reply&&) = delete;
  ~Reply();

  // `held` is let go when the client has the answer.
  void Hold(std::unique_ptr<InFlight> held) { held_ = std::move(held); }
  void Answer(const grpc::ByteBuffer& answer);
  void Fail(const grpc::Status& status);

 private:
  void Finish(const grpc::ByteBuffer& answer, const grpc::Status& status);

  PendingAnswer* pending_;  // null: answered
  std::unique_ptr<InFlight> held_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_REPLY_H_
