#include "agent/service/grpc_service.h"

#include <grpcpp/impl/codegen/server_callback_handlers.h>

#include <utility>

#include "fmt/format.h"

namespace mirrorfs {

void GrpcService::AddRawMethod(std::string_view name, Serve serve) {
  const std::string& path = paths_.emplace_back(fmt::format("/mirrorfs.v1.FileSystem/{}", name));
  // The library takes ownership of the method and of its handler.
  AddMethod(new grpc::internal::RpcServiceMethod(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
  using RawHandler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
  auto handler = [serve = std::move(serve)](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* answer) -> grpc::ServerUnaryReactor* {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    serve(*request, absl::FromChrono(context->deadline()), Reply(reactor, answer));
    return reactor;
  };
  MarkMethodRawCallback(static_cast<int>(paths_.size()) - 1, new RawHandler(std::move(handler)));
}

}  // namespace mirrorfs
