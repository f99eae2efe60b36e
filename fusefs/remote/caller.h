// Gets one call done: sends it, and sends it again where that is safe, until there is an answer, the deadline has
// passed, or a stop is requested.
#ifndef MIRRORFS_FUSEFS_REMOTE_CALLER_H_
#define MIRRORFS_FUSEFS_REMOTE_CALLER_H_

#include <grpcpp/support/status.h>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "fusefs/remote/call_counters.h"
#include "fusefs/remote/channels.h"
#include "fusefs/remote/methods.h"
#include "fusefs/remote/sequence_window.h"
#include "fusefs/remote/session_link.h"
#include "mirrorfs/v1/filesystem.pb.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// Whether an agent's number may be one (the kernel's MAX_ERRNO).
constexpr bool IsErrno(int number) { return number > 0 && number <= 4095; }

// Thread-safe. What is given to it outlives it.
class RemoteCaller {
 public:
  RemoteCaller(absl::Duration deadline, bool send_caller, Channels& channels, SessionLink& link,
               SequenceWindow& sequences, CallCounters& counters)
      : deadline_(deadline),
        send_caller_(send_caller),
        channels_(channels),
        link_(link),
        sequences_(sequences),
        counters_(counters) {}

  // A plain unary call. The answer is in `reply`; an error in its header is the returned status. Returns the session
  // that has answered.
  template <typename Request, typename Reply>
  absl::StatusOr<Generation> Call(Method method, const CallContext& context, Request& request, Reply& reply,
                                  grpc::Status (v1::FileSystem::Stub::*send)(grpc::ClientContext*, const Request&,
                                                                             Reply*)) {
    ASSIGN_OR_RETURN(const Generation generation,
                     Run(method, context, *request.mutable_header(), [&](grpc::ClientContext& client) {
                       reply.Clear();
                       return (channels_.Present()->Stub().*send)(&client, request, &reply);
                     }));
    RETURN_IF_ERROR(CheckHeader(method, reply.header()));
    return generation;
  }

  using Attempt = absl::FunctionRef<grpc::Status(grpc::ClientContext&)>;
  // The loop behind it. `send` makes one attempt, with the header as it has been filled in.
  absl::StatusOr<Generation> Run(Method method, const CallContext& context, v1::RequestHeader& header, Attempt send);

  absl::Status CheckHeader(Method method, const v1::ReplyHeader& header);
  // The answer to `method` lies: EIO, and a line in the log that says how.
  absl::Status Lie(Method method, const absl::Status& what);
  template <typename T>
  absl::StatusOr<T> Checked(Method method, absl::StatusOr<T> unpacked) {
    if (!unpacked.ok()) return Lie(method, unpacked.status());
    return unpacked;
  }

  CallCounters& Counters() { return counters_; }
  Channels& Connections() { return channels_; }

 private:
  struct Try;  // one call's state over its attempts

  absl::StatusOr<bool> Once(Try& attempt, Attempt send);
  absl::StatusOr<bool> AfterFailure(Try& attempt, const grpc::Status& status);
  void FillHeader(Try& attempt, const SessionLink::Session& session);
  absl::Time DeadlineOf(const CallContext& context) const;
  bool AgentIsAlive() const;
  absl::Status Pause(Try& attempt);
  // Nobody waits for the answer any more: makes sure that what was sent is not done later. True: it was done after all,
  // and asking again has brought the answer.
  bool AnsweredAfterAll(Try& attempt, Attempt send);
  // Fences the mutation. False: it will not be done, or that cannot be told.
  bool IsDone(uint64_t session, uint64_t sequence);

  const absl::Duration deadline_;
  const bool send_caller_;
  Channels& channels_;
  SessionLink& link_;
  SequenceWindow& sequences_;
  CallCounters& counters_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_CALLER_H_
