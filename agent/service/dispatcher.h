// The way of a request through the agent: parse, find the session, answer from memory what was done before, wait for a
// worker, run, answer. Called on gRPC's threads; does not block.
#ifndef MIRRORFS_AGENT_SERVICE_DISPATCHER_H_
#define MIRRORFS_AGENT_SERVICE_DISPATCHER_H_

#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "agent/service/lock_waiters.h"
#include "agent/service/method_table.h"
#include "agent/service/reply.h"
#include "agent/service/session_table.h"
#include "agent/service/worker_pool.h"
#include "agent/target/target.h"

namespace mirrorfs {

// Thread-safe. Everything given to it outlives it, and it outlives the requests.
class Dispatcher {
 public:
  Dispatcher(const Target& target, SessionTable& sessions, WorkerPool& pool, LockWaiters& lock_waiters)
      : target_(target), sessions_(sessions), pool_(pool), lock_waiters_(lock_waiters) {}

  void Dispatch(const Method& method, const grpc::ByteBuffer& request, absl::Time deadline, Reply reply);

  // What a request is refused with when its session is not known.
  static grpc::Status UnknownSession();

 private:
  class PendingCall;
  struct Pending {
    const Method& method;
    std::shared_ptr<Session> session;
    std::unique_ptr<Call> call;
    CallContext context;
    std::optional<Reply> reply;  // of a request without a sequence number; else ReplyMemory has it
    bool started = false;
  };

  WorkerPool::Lane LaneOf(const Pending& pending) const;
  void Run(Pending pending);
  void Expire(Pending& pending);
  // Why the request must not be run now; 0: it may.
  int Refusal(const Pending& pending) const;
  static void Finish(Pending& pending, const grpc::ByteBuffer& answer);
  // Not an answer of the file system: the client is to look for the session anew.
  static void Fail(Pending& pending, const grpc::Status& why);

  const Target& target_;
  SessionTable& sessions_;
  WorkerPool& pool_;
  LockWaiters& lock_waiters_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_DISPATCHER_H_
