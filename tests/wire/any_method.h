// Any method of the protocol, by its descriptor.
#ifndef MIRRORFS_TESTS_WIRE_ANY_METHOD_H_
#define MIRRORFS_TESTS_WIRE_ANY_METHOD_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "mirrorfs/v1/filesystem.pb.h"
#include "protos/wire/bulk.h"

namespace mirrorfs {

using MethodDescriptor = google::protobuf::MethodDescriptor;

// Of all services in the files of the protocol.
inline std::vector<const MethodDescriptor*> AllMethods() {
  std::vector<const google::protobuf::FileDescriptor*> files = {v1::LookupRequest::descriptor()->file()};
  std::vector<const MethodDescriptor*> methods;
  for (size_t i = 0; i < files.size(); ++i) {
    for (int d = 0; d < files[i]->dependency_count(); ++d) files.push_back(files[i]->dependency(d));
    for (int s = 0; s < files[i]->service_count(); ++s) {
      const auto& service = *files[i]->service(s);
      for (int m = 0; m < service.method_count(); ++m) methods.push_back(service.method(m));
    }
  }
  return methods;
}

// Those that a read-only session may call; Open looks at its flags itself.
inline bool ChangesNothing(const MethodDescriptor& method) {
  static const std::set<std::string> names = {"Attach",  "Detach",   "Ping",     "Fence",     "Reclaim", "Lookup",
                                              "GetAttr", "Access",   "ReadDir",  "StatFs",    "Open",    "Read",
                                              "Fsync",   "Fsyncdir", "Seek",     "GetLock",   "SetLock", "Forget",
                                              "Release", "GetXattr", "Readlink", "ListXattr", "ReadMany"};
  return names.contains(method.name());
}

struct AnyAnswer {
  grpc::Status status;
  int error = 0;  // of the reply's header, if the status is OK
};

inline AnyAnswer CallWith(grpc::ChannelInterface& channel, const MethodDescriptor& method,
                          const grpc::ByteBuffer& request) {
  const std::string path = "/" + method.service()->full_name() + "/" + method.name();
  const grpc::internal::RpcMethod rpc(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::ByteBuffer answer;
  const grpc::Status status = grpc::internal::BlockingUnaryCall(&channel, rpc, &context, request, &answer);
  if (!status.ok()) return {status};
  v1::EmptyReply parsed;  // all replies begin with their header
  const absl::Status decoded = DecodeMessage(answer, parsed);
  if (!decoded.ok()) return {grpc::Status(grpc::StatusCode::DATA_LOSS, std::string(decoded.message()))};
  return {status, parsed.header().error()};
}

// An (almost) empty request of any method but Attach.
inline AnyAnswer CallAny(grpc::ChannelInterface& channel, const MethodDescriptor& method, uint64_t session,
                         uint64_t sequence) {
  google::protobuf::DynamicMessageFactory factory;
  const std::unique_ptr<google::protobuf::Message> request(factory.GetPrototype(method.input_type())->New());
  const auto fill = [](google::protobuf::Message& message, const char* field, uint64_t value) {
    const auto* found = message.GetDescriptor()->FindFieldByName(field);
    if (found == nullptr) return;
    if (found->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
      message.GetReflection()->SetString(&message, found, "name");
    } else {
      message.GetReflection()->SetUInt64(&message, found, value);
    }
  };
  for (const char* field : {"node", "parent", "new_parent", "handle", "name", "new_name", "target"}) {
    fill(*request, field, 1);
  }
  auto* header =
      request->GetReflection()->MutableMessage(request.get(), method.input_type()->FindFieldByName("header"));
  fill(*header, "session", session);
  fill(*header, "sequence", sequence);
  return CallWith(channel, method, EncodeMessage(*request));
}

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_ANY_METHOD_H_
