// gRPC's edge: every method takes and gives bytes, and is handed on by name.
#ifndef MIRRORFS_AGENT_SERVICE_GRPC_SERVICE_H_
#define MIRRORFS_AGENT_SERVICE_GRPC_SERVICE_H_

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <functional>
#include <string>

#include "absl/time/time.h"
#include "agent/service/reply.h"
#include "grpcpp/impl/service_type.h"

namespace mirrorfs {

// Built like the classes that the gRPC plugin generates for raw callback methods, for the whole service at once.
class GrpcService : public grpc::Service {
 public:
  // Runs on gRPC's threads: must not block. The request lives until the reply is given or the function returns.
  using Serve = std::function<void(const grpc::ByteBuffer& request, absl::Time deadline, Reply reply)>;

  // Before the server starts; once for each method of the protocol.
  void AddRawMethod(std::string_view name, Serve serve);

 private:
  std::deque<std::string> paths_;  // the library keeps pointers to them
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_GRPC_SERVICE_H_
