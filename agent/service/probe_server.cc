#include "agent/service/probe_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

constexpr int kMostMessage = 4 << 10;
constexpr int kMostThreads = 4;

class GrpcProbeServer : public ProbeServer {
 public:
  explicit GrpcProbeServer(std::unique_ptr<grpc::Server> server) : server_(std::move(server)) {}
  ~GrpcProbeServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

 private:
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ProbeServer>> ProbeServer::Start(const std::string& where) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMostMessage);
  builder.SetResourceQuota(grpc::ResourceQuota("probes").SetMaxThreads(kMostThreads));
  builder.AddListeningPort(where, grpc::InsecureServerCredentials());
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return absl::AlreadyExistsError(fmt::format("cannot listen at {}", where));
  return std::make_unique<GrpcProbeServer>(std::move(server));
}

}  // namespace mirrorfs
