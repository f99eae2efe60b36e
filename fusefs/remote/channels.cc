#include "fusefs/remote/channels.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <string>
#include <string_view>

#include "fmt/format.h"
#include "protos/shared/errno_status.h"
#include "protos/wire/protocol_version.h"

namespace mirrorfs {
namespace {

constexpr int kKeepaliveMs = 20'000;         // below the 60 s after which tunnels drop what is silent
constexpr int kKeepaliveTimeoutMs = 10'000;  // without an answer the connection is given up
constexpr int kFirstReconnectMs = 50;
constexpr int kLongestReconnectMs = 1'000;
constexpr int kConnectTimeoutMs = 5'000;

bool StaysOnThisMachine(std::string_view endpoint) {
  for (std::string_view prefix : {"unix:", "127.0.0.1:", "localhost:", "[::1]:"}) {
    if (endpoint.starts_with(prefix)) return true;
  }
  return false;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(const RemoteSessionOptions& options) {
  if (options.tls_ca.empty() && options.tls_certificate.empty()) {
    if (!StaysOnThisMachine(options.endpoint)) {
      return absl::InvalidArgumentError(
          fmt::format("{}: an agent on another machine is only reached with TLS: give a CA, a certificate and a key",
                      options.endpoint));
    }
    return grpc::InsecureChannelCredentials();
  }
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = options.tls_ca;
  tls.pem_cert_chain = options.tls_certificate;
  tls.pem_private_key = options.tls_key;
  return grpc::SslCredentials(tls);
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxMessageBytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(kMaxMessageBytes));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // as many as keepalive wants
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  // Each channel has connections of its own.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // ours knows what may be repeated
  arguments.SetServiceConfigJSON("{}");
  return arguments;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Channels>> Channels::Create(const RemoteSessionOptions& options) {
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ChannelCredentials> credentials, CredentialsOf(options));
  auto channels = std::make_unique<Channels>();
  channels->endpoint_ = options.endpoint;
  channels->credentials_ = credentials;
  MutexLock lock(channels->mutex_);
  channels->line_ = channels->Make();
  return channels;
}

std::shared_ptr<Line> Channels::Make() const {
  auto line = std::make_shared<Line>();
  const auto make = [&] { return grpc::CreateCustomChannel(endpoint_, credentials_, Arguments()); };
  line->small_ = make();
  line->stub_ = v1::FileSystem::NewStub(line->small_);
  for (auto& channel : line->bulk_) channel = make();
  return line;
}

void Channels::MakeAnew() {
  std::shared_ptr<Line> line = Make();
  {
    MutexLock lock(mutex_);
    line.swap(line_);
  }
  line->given_up_.request_stop();
}

}  // namespace mirrorfs
