#include "fusefs/remote/remote_session.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "fusefs/remote/call_counters.h"
#include "fusefs/remote/caller.h"
#include "fusefs/remote/channels.h"
#include "fusefs/remote/give_back_queue.h"
#include "fusefs/remote/handle_ledger.h"
#include "fusefs/remote/heartbeat.h"
#include "fusefs/remote/node_ledger.h"
#include "fusefs/remote/remote_file_system.h"
#include "fusefs/remote/sequence_window.h"
#include "fusefs/remote/session_link.h"
#include "fusefs/remote/silence_watch.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kDetachWait = absl::Seconds(1);

// Owns the parts, which are wired in the order in which they are declared.
class GrpcRemoteSession : public RemoteSession {
 public:
  GrpcRemoteSession(RemoteSessionOptions options, std::unique_ptr<Channels> channels)
      : options_(std::move(options)),
        channels_(std::move(channels)),
        link_(options_, *channels_, nodes_, handles_, counters_),
        caller_(options_.deadline, options_.identity == SessionIdentity::kCaller, *channels_, link_, sequences_,
                counters_) {}
  ~GrpcRemoteSession() override { Close(); }

  absl::Status Begin();
  FileSystem& Files() override { return *files_; }
  const SessionFacts& Facts() const override { return link_.Facts(); }
  std::map<std::string, MethodCount> Counts() const override { return counters_.Read(); }
  void Close() override;

 private:
  void Detach();

  const RemoteSessionOptions options_;
  const std::unique_ptr<Channels> channels_;
  CallCounters counters_;
  SequenceWindow sequences_;
  NodeLedger nodes_;
  HandleLedger handles_;
  SessionLink link_;
  RemoteCaller caller_;
  std::optional<GiveBackQueue> give_back_;
  std::optional<RemoteFileSystem> files_;
  std::optional<SilenceWatch> silence_watch_;
  std::optional<Heartbeat> heartbeat_;
  std::once_flag closed_;
};

absl::Status GrpcRemoteSession::Begin() {
  RETURN_IF_ERROR(link_.Begin());
  give_back_.emplace(caller_, link_);
  files_.emplace(caller_, link_.Facts(), nodes_, handles_, *give_back_);
  // Often enough for the lease, and for telling a long call from a lost agent.
  absl::Duration interval = std::min(link_.Lease(), options_.deadline) / 3;
  if (options_.silence_limit > absl::ZeroDuration()) {
    interval = std::min(interval, options_.silence_limit / 2);
    silence_watch_.emplace(*channels_, link_, options_.endpoint, options_.silence_limit);
  }
  heartbeat_.emplace(caller_, link_, interval);
  return absl::OkStatus();
}

void GrpcRemoteSession::Close() {
  std::call_once(closed_, [this] {
    heartbeat_.reset();
    silence_watch_.reset();
    if (!give_back_.has_value()) return;  // it never began
    give_back_->Close();
    Detach();
  });
}

void GrpcRemoteSession::Detach() {
  v1::DetachRequest request;
  v1::DetachReply reply;
  const CallContext context{.caller = {}, .deadline = absl::Now() + kDetachWait, .stop = {}};
  // An agent that does not hear of it ends the session with its lease.
  (void)caller_.Call(Method::kDetach, context, request, reply, &v1::FileSystem::Stub::Detach).status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<RemoteSession>> RemoteSession::Connect(const RemoteSessionOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Channels> channels, Channels::Create(options));
  auto session = std::make_unique<GrpcRemoteSession>(options, std::move(channels));
  RETURN_IF_ERROR(session->Begin());
  return session;
}

}  // namespace mirrorfs
