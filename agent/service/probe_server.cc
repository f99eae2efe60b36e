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
constexpr std::chrono::milliseconds kLookInterval{500};

// The health service is gRPC's own, and answers in a thread of its own, whatever the rest of the process does: it has
// to be told. A server wants somebody to wait at a queue, too, and that is who tells it.
class GrpcProbeServer : public ProbeServer {
 public:
  GrpcProbeServer(std::unique_ptr<grpc::Server> server, std::unique_ptr<grpc::ServerCompletionQueue> queue,
                  std::function<bool()> serves)
      : server_(std::move(server)), queue_(std::move(queue)), serves_(std::move(serves)), thread_([this] { Run(); }) {}
  ~GrpcProbeServer() override {
    server_->Shutdown(std::chrono::system_clock::now());
    queue_->Shutdown();
    thread_.join();
  }

 private:
  void Run() {
    void* tag = nullptr;
    bool fine = false;
    do {
      server_->GetHealthCheckService()->SetServingStatus(serves_());
    } while (queue_->AsyncNext(&tag, &fine, std::chrono::system_clock::now() + kLookInterval) !=
             grpc::CompletionQueue::SHUTDOWN);
  }

  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  const std::function<bool()> serves_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ProbeServer>> ProbeServer::Start(const std::string& where,
                                                                std::function<bool()> serves) {
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
  return std::make_unique<GrpcProbeServer>(std::move(server), std::move(queue), std::move(serves));
}

}  // namespace mirrorfs
