// The methods that are about sessions: Attach, Detach, Ping, Fence.
#ifndef MIRRORFS_AGENT_SERVICE_SESSION_CALLS_H_
#define MIRRORFS_AGENT_SERVICE_SESSION_CALLS_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "agent/service/agent_server.h"
#include "agent/service/lock_waiters.h"
#include "agent/service/reply.h"
#include "agent/service/session_table.h"
#include "agent/service/worker_pool.h"
#include "agent/target/target.h"
#include "mirrorfs/v1/filesystem.pb.h"

namespace mirrorfs {

// Thread-safe. Everything given to it outlives it. Called on gRPC's threads; does not block.
class SessionCalls {
 public:
  SessionCalls(const Target& target, const AgentServerOptions& options, SessionTable& sessions, WorkerPool& pool,
               LockWaiters& lock_waiters);

  void Attach(const grpc::ByteBuffer& request, absl::Time deadline, Reply reply);
  void Detach(const grpc::ByteBuffer& request, absl::Time deadline, Reply reply);
  void Ping(const grpc::ByteBuffer& request, absl::Time deadline, Reply reply);
  void Fence(const grpc::ByteBuffer& request, absl::Time deadline, Reply reply);

  // Ends the sessions whose lease is over.
  void EndSilentSessions(absl::Time now);

 private:
  // Why a client may not have such a session; the status' message is for a person.
  absl::Status CheckAttach(const v1::AttachRequest& request) const;
  absl::Status CheckIdentity(const v1::AttachRequest& request) const;
  std::shared_ptr<void> BeginAttaching() const;
  void AttachOnWorker(const v1::AttachRequest& request, absl::Time deadline, Reply reply);
  absl::Status DoAttach(const v1::AttachRequest& request, const CallContext& context, v1::AttachReply& answer);
  absl::StatusOr<std::shared_ptr<Session>> NewSession(const SessionTerms& terms);
  absl::StatusOr<Credentials> CredentialsOf(const SessionTerms& terms) const;
  void Describe(const Session& session, v1::AttachReply& answer) const;
  // Closing files may block, so a session is let go in a worker.
  void LetGo(std::shared_ptr<Session> session);
  void Log(std::string_view line) const {
    if (options_.log) options_.log(line);
  }

  const Target& target_;
  const AgentServerOptions& options_;
  SessionTable& sessions_;
  WorkerPool& pool_;
  LockWaiters& lock_waiters_;
  const AgentBudgets budgets_ = AgentBudgets::Make();
  const uint64_t instance_;
  const std::shared_ptr<void> attaching_ = std::make_shared<char>();  // whoever attaches has it, too
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_SESSION_CALLS_H_
