#include "agent/target/runtime_channel.h"

#include <chrono>

#include "fmt/format.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace mirrorfs {

std::shared_ptr<grpc::Channel> RuntimeChannel(const std::string& socket_path) {
  constexpr int kMostBytes = 64 << 20;  // a list of all containers of a large node, with their labels
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostBytes);
  // The authority that is made of a socket's path is refused by Go's HTTP/2 server.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel("unix:" + socket_path, grpc::InsecureChannelCredentials(), arguments);
}

void SetRuntimeDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
}

absl::Status RuntimeStatus(const grpc::Status& status, std::string_view runtime, const std::string& socket_path) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = fmt::format("{} at {}: {}", runtime, socket_path, status.error_message());
  switch (status.error_code()) {
    case grpc::StatusCode::NOT_FOUND:
      return absl::NotFoundError(message);
    case grpc::StatusCode::PERMISSION_DENIED:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace mirrorfs
