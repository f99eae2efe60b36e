#include "agent/service/session_calls.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "agent/service/dispatcher.h"
#include "agent/service/random_number.h"
#include "agent/service/token.h"
#include "fmt/format.h"
#include "protos/certificates/certificates.h"
#include "protos/shared/errno_status.h"
#include "protos/wire/boot_clock.h"
#include "protos/wire/bulk.h"
#include "protos/wire/convert_attributes.h"
#include "protos/wire/protocol_version.h"

namespace mirrorfs {
namespace {

constexpr size_t kMostBytes = 64 << 10;  // of a request
// Whoever comes when so many wait to be let in comes again.
constexpr int kMostAttaching = 64;

// Runs a function in the worker pool, and drops it when it is too late.
class FunctionTask : public WorkerTask {
 public:
  FunctionTask(absl::Time deadline, std::function<void()> run) : deadline_(deadline), run_(std::move(run)) {}
  void Run() override { run_(); }
  void Expire() override {}
  absl::Time Deadline() const override { return deadline_; }

 private:
  const absl::Time deadline_;
  const std::function<void()> run_;
};

// A refusal: an errno for programs, and a message for a person.
absl::Status Refuse(int error, const std::string& message) {
  absl::Status status = ErrnoStatus(error);
  absl::Status with_message(status.code(), message);
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& value) { with_message.SetPayload(url, value); });
  return with_message;
}

SessionTerms TermsOf(const v1::AttachRequest& request) {
  SessionTerms terms;
  terms.read_write = request.read_write();
  terms.devices = request.devices();
  if (request.identity() == v1::IDENTITY_CALLER) terms.identity = IdentityKind::kCaller;
  if (request.identity() == v1::IDENTITY_FIXED) {
    terms.identity = IdentityKind::kFixed;
    terms.uid = request.uid();
    terms.gid = request.gid();
  }
  return terms;
}

template <typename Request>
bool Parse(const grpc::ByteBuffer& bytes, Request& request, Reply& reply) {
  if (bytes.Length() > kMostBytes) {
    reply.Fail(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the request is longer than any of its kind"));
    return false;
  }
  if (const absl::Status parsed = DecodeMessage(bytes, request); !parsed.ok()) {
    reply.Fail(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, std::string(parsed.message())));
    return false;
  }
  return true;
}

v1::FenceOutcome PackOutcome(FenceResult result) {
  switch (result) {
    case FenceResult::kNever:
      return v1::FENCE_NEVER;
    case FenceResult::kRunning:
      return v1::FENCE_RUNNING;
    case FenceResult::kDone:
      return v1::FENCE_DONE;
  }
  return v1::FENCE_UNSPECIFIED;
}

bool TokenAccepted(const AgentServerOptions& options, const std::string& token) {
  if (!options.token.empty() && !TokensEqual(options.token, token)) return false;
  return options.token_sha256.empty() || TokensEqual(options.token_sha256, Sha256Hex(token));
}

}  // namespace

SessionCalls::SessionCalls(const Target& target, const AgentServerOptions& options, SessionTable& sessions,
                           WorkerPool& pool, LockWaiters& lock_waiters)
    : target_(target),
      options_(options),
      sessions_(sessions),
      pool_(pool),
      lock_waiters_(lock_waiters),
      instance_(RandomNumber()) {}

void SessionCalls::Attach(const grpc::ByteBuffer& bytes, absl::Time deadline, Reply reply) {
  v1::AttachRequest request;
  if (!Parse(bytes, request, reply)) return;
  const std::shared_ptr<void> attaching = BeginAttaching();
  if (attaching == nullptr) {
    return reply.Fail(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many clients attach at a time"));
  }
  // std::function wants what can be copied.
  auto shared_reply = std::make_shared<Reply>(std::move(reply));
  pool_.Submit({}, std::make_unique<FunctionTask>(deadline, [=, this, held = attaching, request = std::move(request)] {
                 AttachOnWorker(request, deadline, std::move(*shared_reply));
               }));
}

// Null: there are too many.
std::shared_ptr<void> SessionCalls::BeginAttaching() const {
  if (attaching_.use_count() > kMostAttaching) return nullptr;
  return attaching_;
}

void SessionCalls::AttachOnWorker(const v1::AttachRequest& request, absl::Time deadline, Reply reply) {
  v1::AttachReply answer;
  answer.set_protocol(kProtocolVersion);
  answer.set_agent_version(options_.version);
  const absl::Status status = DoAttach(request, {.caller = {}, .deadline = deadline, .stop = {}}, answer);
  answer.mutable_header()->set_error(ToErrno(status));
  if (!status.ok()) answer.set_message(std::string(status.message()));
  Log(status.ok() ? fmt::format("a session of mirrorfs {} {}", request.client_version().substr(0, 100),
                                answer.resumed() ? "goes on" : "begins")
                  : fmt::format("a session is refused: {}", answer.message()));
  reply.Answer(EncodeMessage(answer));
}

absl::Status SessionCalls::DoAttach(const v1::AttachRequest& request, const CallContext& context,
                                    v1::AttachReply& answer) {
  RETURN_IF_ERROR(CheckAttach(request));
  const SessionTerms terms = TermsOf(request);
  std::shared_ptr<Session> session = sessions_.Find(SessionId{request.resume_session()});
  if (session != nullptr && session->Terms() == terms) {
    session->Touch();
    answer.set_resumed(true);
  } else {
    ASSIGN_OR_RETURN(session, NewSession(terms));
  }
  ASSIGN_OR_RETURN(const Entry root, session->Files().Root(context));
  Pack(root, *answer.mutable_root());
  Describe(*session, answer);
  if (!answer.resumed() && !sessions_.Add(session)) {
    return Refuse(EUSERS, fmt::format("the agent has {} sessions already, and allows no more", options_.max_sessions));
  }
  return absl::OkStatus();
}

absl::Status SessionCalls::CheckAttach(const v1::AttachRequest& request) const {
  if (request.protocol() != kProtocolVersion) {
    return Refuse(EPROTONOSUPPORT,
                  fmt::format("mirrorfs {} speaks protocol {}, the agent (version {}) speaks protocol {}: "
                              "install the same version on both sides",
                              request.client_version(), request.protocol(), options_.version, kProtocolVersion));
  }
  if (!TokenAccepted(options_, request.token())) {
    return Refuse(EACCES, "the agent does not accept this token");
  }
  if (!request.target().empty() && request.target() != options_.target_name) {
    return Refuse(ENXIO, fmt::format("the agent serves {}, not {}", options_.target_name, request.target()));
  }
  if (!target_.Alive()) return Refuse(EHOSTDOWN, fmt::format("{} is not running any more", target_.Description()));
  if (request.read_write() && !options_.read_write) {
    return Refuse(EROFS, "the agent was started read-only: start it with --rw");
  }
  if (request.devices() && !options_.devices) {
    return Refuse(EPERM, "the agent was started without --devices: device nodes cannot be made");
  }
  return CheckIdentity(request);
}

absl::Status SessionCalls::CheckIdentity(const v1::AttachRequest& request) const {
  const auto refuse = [](std::string_view kind) {
    return Refuse(EPERM, fmt::format("the agent does not allow sessions of identity {}", kind));
  };
  switch (request.identity()) {
    case v1::IDENTITY_CONTAINER:
      return options_.allow_container ? absl::OkStatus() : refuse("container");
    case v1::IDENTITY_CALLER:
      if (!options_.allow_caller) return refuse("caller");
      break;
    case v1::IDENTITY_FIXED:
      if (!options_.allow_fixed) return refuse("UID:GID");
      break;
    default:
      return Refuse(EINVAL, "an unknown kind of identity");
  }
  if (geteuid() != 0) {
    return Refuse(EPERM,
                  fmt::format("the agent runs as user {} and cannot act as others: use --as container", geteuid()));
  }
  return absl::OkStatus();
}

absl::StatusOr<Credentials> SessionCalls::CredentialsOf(const SessionTerms& terms) const {
  if (terms.identity != IdentityKind::kFixed) return target_.ProcessCredentials();
  const std::optional<uint32_t> uid = target_.Uids().ToAgent(terms.uid);
  const std::optional<uint32_t> gid = target_.Gids().ToAgent(terms.gid);
  if (!uid || !gid) {
    return Refuse(EINVAL, fmt::format("{}:{} does not exist in the container's user namespace", terms.uid, terms.gid));
  }
  Credentials credentials{.uid = *uid, .gid = *gid, .groups = {}, .capabilities = 0};
  if (terms.uid == 0) credentials.capabilities = target_.ProcessCredentials().capabilities;
  return credentials;
}

absl::StatusOr<std::shared_ptr<Session>> SessionCalls::NewSession(const SessionTerms& terms) {
  RootedFilesystemOptions options;
  ASSIGN_OR_RETURN(options.root, target_.OpenRoot());
  options.identity.kind = terms.identity;
  ASSIGN_OR_RETURN(options.identity.credentials, CredentialsOf(terms));
  options.uids = target_.Uids();
  options.gids = target_.Gids();
  options.read_write = terms.read_write;
  options.devices = terms.devices;
  options.alive = [this] { return target_.Alive(); };
  const SessionLimits limits;
  const auto account = std::make_shared<SessionAccount>(budgets_, limits.max_in_flight);
  options.admit_open_file = [account] { return account->OpenFile(); };
  ASSIGN_OR_RETURN(auto files, options_.make_filesystem(std::move(options)));
  return std::make_shared<Session>(SessionTable::NewId(), terms, limits, account, std::move(files));
}

void SessionCalls::Describe(const Session& session, v1::AttachReply& answer) const {
  answer.set_session(static_cast<uint64_t>(session.Id()));
  answer.set_agent_instance(instance_);
  answer.set_agent_clock_ns(BootClockNs());
  answer.set_target(target_.Description());
  const SessionTerms& terms = session.Terms();
  if (terms.identity == IdentityKind::kContainer) {
    answer.set_identity_uid(target_.Uids().ToContainer(target_.ProcessCredentials().uid));
    answer.set_identity_gid(target_.Gids().ToContainer(target_.ProcessCredentials().gid));
    for (const uint32_t group : target_.ProcessCredentials().groups) {
      answer.add_identity_groups(target_.Gids().ToContainer(group));
    }
  } else {
    answer.set_identity_uid(terms.uid);
    answer.set_identity_gid(terms.gid);
  }
  answer.set_read_write(terms.read_write);
  const SessionLimits& limits = session.Limits();
  answer.set_max_read(limits.max_read);
  answer.set_max_write(limits.max_write);
  answer.set_max_page(limits.max_page);
  answer.set_max_in_flight(limits.max_in_flight);
  answer.set_lease_ms(static_cast<uint32_t>(absl::ToInt64Milliseconds(options_.lease)));
}

void SessionCalls::Detach(const grpc::ByteBuffer& bytes, absl::Time, Reply reply) {
  v1::DetachRequest request;
  if (!Parse(bytes, request, reply)) return;
  std::shared_ptr<Session> session = sessions_.Remove(SessionId{request.header().session()});
  if (session == nullptr) return reply.Fail(Dispatcher::UnknownSession());
  Log("a session ends");
  LetGo(std::move(session));
  reply.Answer(ErrorAnswer(0));
}

void SessionCalls::Ping(const grpc::ByteBuffer& bytes, absl::Time, Reply reply) {
  v1::PingRequest request;
  if (!Parse(bytes, request, reply)) return;
  const std::shared_ptr<Session> session = sessions_.Find(SessionId{request.header().session()});
  if (session == nullptr) return reply.Fail(Dispatcher::UnknownSession());
  session->Touch();
  session->Replies().Acknowledge(request.header().answered_below(), request.header().answered());
  v1::PingReply answer;
  answer.mutable_header();
  answer.set_agent_clock_ns(BootClockNs());
  answer.set_target_alive(target_.Alive());
  reply.Answer(EncodeMessage(answer));
}

void SessionCalls::Fence(const grpc::ByteBuffer& bytes, absl::Time, Reply reply) {
  v1::FenceRequest request;
  if (!Parse(bytes, request, reply)) return;
  const std::shared_ptr<Session> session = sessions_.Find(SessionId{request.header().session()});
  if (session == nullptr) return reply.Fail(Dispatcher::UnknownSession());
  session->Touch();
  v1::FenceReply answer;
  answer.mutable_header();
  for (uint64_t sequence : request.sequences()) {
    answer.add_outcomes(PackOutcome(session->Replies().Fence(sequence)));
  }
  reply.Answer(EncodeMessage(answer));
}

void SessionCalls::EndSilentSessions(absl::Time now) {
  for (std::shared_ptr<Session>& session : sessions_.RemoveSilent(now - options_.lease)) {
    Log("a session has been silent for too long, and ends");
    LetGo(std::move(session));
  }
}

void SessionCalls::LetGo(std::shared_ptr<Session> session) {
  const WorkerPool::Lane lane{.session = static_cast<uint64_t>(session->Id()), .device = 0};
  pool_.Submit(lane, std::make_unique<FunctionTask>(absl::InfiniteFuture(), [this, session]() mutable {
                 session.reset();
                 lock_waiters_.Kick();
               }));
}

}  // namespace mirrorfs
