#include "agent/service/agent_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include <condition_variable>
#include <cstdlib>
#include <thread>
#include <utility>

#include "agent/service/acceptor.h"
#include "agent/service/connection_count.h"
#include "agent/service/dispatcher.h"
#include "agent/service/grpc_service.h"
#include "agent/service/lock_waiters.h"
#include "agent/service/method_table.h"
#include "agent/service/publication.h"
#include "agent/service/session_calls.h"
#include "agent/service/session_table.h"
#include "agent/service/worker_pool.h"
#include "protos/shared/errno_status.h"
#include "protos/wire/protocol_version.h"

namespace mirrorfs {
namespace {

constexpr std::chrono::milliseconds kHousekeepingInterval{100};
constexpr int kLeastPingIntervalMs = 5'000;
constexpr size_t kMessageMemory = size_t{48} << 20;    // what gRPC reads and has not handed over yet
constexpr int kMostRequest = (1 << 20) + (128 << 10);  // a Write, and what is around it
constexpr int kMaxStreamsPerConnection = 320;          // a session may have 256 requests in flight
// A daemon has four. The others are those who have not attached yet.
constexpr size_t kConnectionsPerSession = 4;
constexpr size_t kSpareConnections = 32;
constexpr int kHandshakeMs = 10'000;

// Packaged gRPC cannot be told which versions of TLS to speak. But it takes the list of cipher suites for TLS up to 1.2
// (those of 1.3 are not in it), and with one that needs a key agreed before there is no 1.2 any more. Read once, when
// gRPC makes its first credentials.
void SpeakTls13Only() { ::setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", 1); }

std::shared_ptr<grpc::ServerCredentials> CredentialsOf(const AgentServerOptions& options) {
  if (options.tls_certificate.empty()) return grpc::InsecureServerCredentials();
  SpeakTls13Only();
  grpc::SslServerCredentialsOptions tls(options.tls_client_ca.empty()
                                            ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                            : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = options.tls_client_ca;
  tls.pem_key_cert_pairs.push_back({options.tls_key, options.tls_certificate});
  return grpc::SslServerCredentials(tls);
}

class GrpcAgentServer : public AgentServer {
 public:
  GrpcAgentServer(const Target& target, AgentServerOptions options);
  ~GrpcAgentServer() override;

  absl::Status Listen(UniqueFd listener);
  size_t SessionCount() const override { return sessions_.Size(); }
  absl::Time IdleSince() const override { return sessions_.EmptySince(); }
  void Stop() override;

 private:
  void AddMethods();
  void RunHousekeeping();
  bool WaitForHousekeeping();  // false: stopped

  const AgentServerOptions options_;
  SessionTable sessions_;
  WorkerPool pool_;
  LockWaiters lock_waiters_;
  Dispatcher dispatcher_;
  SessionCalls session_calls_;
  GrpcService service_;
  Publication construction_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Acceptor> acceptor_;
  Mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread housekeeping_;
};

GrpcAgentServer::GrpcAgentServer(const Target& target, AgentServerOptions options)
    : options_(std::move(options)),
      sessions_(options_.max_sessions),
      pool_({.max_threads = options_.max_workers, .max_per_device = options_.max_workers_per_device}),
      lock_waiters_(pool_),
      dispatcher_(target, sessions_, pool_, lock_waiters_),
      session_calls_(target, options_, sessions_, pool_, lock_waiters_) {
  AddMethods();
  construction_.Publish();
}

GrpcAgentServer::~GrpcAgentServer() {
  Stop();
  if (housekeeping_.joinable()) housekeeping_.join();
  acceptor_.reset();
  // Waits for the calls that run; all others have been answered.
  if (server_ != nullptr) service_.End(*server_);
}

void GrpcAgentServer::AddMethods() {
  using Serve = void (SessionCalls::*)(const grpc::ByteBuffer&, absl::Time, Reply);
  const auto add = [this](std::string_view name, Serve serve) {
    service_.AddRawMethod(name, [this, serve](const grpc::ByteBuffer& request, absl::Time deadline, Reply reply) {
      construction_.See();
      (session_calls_.*serve)(request, deadline, std::move(reply));
    });
  };
  add("Attach", &SessionCalls::Attach);
  add("Detach", &SessionCalls::Detach);
  add("Ping", &SessionCalls::Ping);
  add("Fence", &SessionCalls::Fence);
  for (const Method& method : FileMethods()) {
    service_.AddRawMethod(method.name,
                          [this, &method](const grpc::ByteBuffer& request, absl::Time deadline, Reply reply) {
                            construction_.See();
                            dispatcher_.Dispatch(method, request, deadline, std::move(reply));
                          });
  }
}

absl::Status GrpcAgentServer::Listen(UniqueFd listener) {
  grpc::ServerBuilder builder;
  builder.RegisterService(&service_);
  builder.SetMaxReceiveMessageSize(kMostRequest);
  builder.SetMaxSendMessageSize(static_cast<int>(kMaxMessageBytes));
  builder.SetResourceQuota(grpc::ResourceQuota("agent").Resize(kMessageMemory));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kLeastPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  auto connections = std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor>(
      builder.experimental().AddExternalConnectionAcceptor(
          grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, CredentialsOf(options_)));
  std::unique_ptr<grpc::ServerCompletionQueue> arrivals = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    arrivals->Shutdown();
    return absl::InternalError("the gRPC server does not start");
  }
  service_.Begin(std::move(arrivals));
  // Only the acceptor's thread knows it.
  auto known = std::make_shared<ConnectionCount>();
  ASSIGN_OR_RETURN(acceptor_,
                   Acceptor::Start(std::move(listener), [this, connections, known](int from, UniqueFd connection) {
                     if (known->CountOpen() >= kSpareConnections + kConnectionsPerSession * sessions_.Size()) {
                       return;  // and so it is closed
                     }
                     known->Add(connection.get());
                     grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
                     parameters.listener_fd = from;
                     parameters.fd = connection.release();
                     connections->HandleNewConnection(&parameters);
                   }));
  housekeeping_ = std::thread([this] { RunHousekeeping(); });
  return absl::OkStatus();
}

void GrpcAgentServer::Stop() {
  {
    MutexLock lock(mutex_);
    if (std::exchange(stopped_, true)) return;
  }
  stop_.notify_all();
  lock_waiters_.Stop();
  pool_.Stop();
}

void GrpcAgentServer::RunHousekeeping() {
  while (WaitForHousekeeping()) {
    const absl::Time now = absl::Now();
    pool_.ExpireWaiting(now);
    session_calls_.EndSilentSessions(now);
    service_.LetGoOfAnswered();
  }
}

bool GrpcAgentServer::WaitForHousekeeping() {
  MutexLock lock(mutex_);
  if (!stopped_) lock.WaitUntil(stop_, std::chrono::steady_clock::now() + kHousekeepingInterval);
  return !stopped_;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AgentServer>> AgentServer::Start(const Target& target, AgentServerOptions options,
                                                                UniqueFd listener) {
  auto server = std::make_unique<GrpcAgentServer>(target, std::move(options));
  RETURN_IF_ERROR(server->Listen(std::move(listener)));
  return server;
}

}  // namespace mirrorfs
