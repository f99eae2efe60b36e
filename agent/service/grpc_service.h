// gRPC's edge: every method takes and gives bytes, and is handed on by name.
#ifndef MIRRORFS_AGENT_SERVICE_GRPC_SERVICE_H_
#define MIRRORFS_AGENT_SERVICE_GRPC_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "agent/service/answer_queue.h"
#include "agent/service/arrival_threads.h"
#include "agent/service/reply.h"
#include "grpcpp/impl/service_type.h"

namespace mirrorfs {

// Built like the classes that the gRPC plugin generates for raw asynchronous methods, for the whole service at once.
//
// One thread at a time takes what arrives, and whoever answers sends the answer himself. Several threads that wait for
// arrivals, as gRPC's callback services have them, hand the waiting over to each other at each one (ADR 35).
class GrpcService : public grpc::Service {
 public:
  // Runs on a thread of ArrivalThreads. The request lives until the reply is given or the function returns.
  using Serve = std::function<void(const grpc::ByteBuffer& request, absl::Time deadline, Reply reply)>;

  // Before the server starts; once for each method of the protocol.
  void AddRawMethod(std::string_view name, Serve serve);
  // When the server has started, with a queue of its builder's.
  void Begin(std::unique_ptr<grpc::ServerCompletionQueue> arrivals);
  // Lets go of requests whose answers took their time. To be called now and then.
  void LetGoOfAnswered() { answers_.LetGo(); }
  // Shuts the server down: running calls are cancelled for their clients, and waited for.
  void End(grpc::Server& server);

 private:
  class Call;
  struct Method {
    std::string path;  // the library keeps a pointer to it
    Serve serve;
  };

  void Await(size_t method);
  void* NextArrival();

  std::deque<Method> methods_;
  AnswerQueue answers_;
  std::unique_ptr<grpc::ServerCompletionQueue> arrivals_;
  std::unique_ptr<ArrivalThreads> threads_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_GRPC_SERVICE_H_
