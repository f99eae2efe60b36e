#include "agent/service/probe_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <thread>
#include <utility>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

constexpr int kMostMessage = 4 << 10;
constexpr int kMostThreads = 4;

// The health service is gRPC's own, and answers in a thread of its own; but a server wants somebody to wait at a queue.
class GrpcProbeServer : public ProbeServer {
 public:
  GrpcProbeServer(std::unique_ptr<grpc::Server> server, std::unique_ptr<grpc::ServerCompletionQueue> queue)
      : server_(std::move(server)), queue_(std::move(queue)), thread_([this] {
          void* tag = nullptr;
          bool fine = false;
          while (queue_->Next(&tag, &fine)) {
          }
        }) {}
  ~GrpcProbeServer() override {
    server_->Shutdown(std::chrono::system_clock::now());
    queue_->Shutdown();
    thread_.join();
  }

 private:
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ProbeServer>> ProbeServer::Start(const std::string& where) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMostMessage);
  builder.SetResourceQuota(grpc::ResourceQuota("probes").SetMaxThreads(kMostThreads));
  builder.AddListeningPort(where, grpc::InsecureServerCredentials());
  std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    queue->Shutdown();
    return absl::AlreadyExistsError(fmt::format("cannot listen at {}", where));
  }
  return std::make_unique<GrpcProbeServer>(std::move(server), std::move(queue));
}

}  // namespace mirrorfs
