// A client that speaks the protocol by hand, to say what RemoteSession never would.
#ifndef MIRRORFS_TESTS_WIRE_RAW_CLIENT_H_
#define MIRRORFS_TESTS_WIRE_RAW_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "mirrorfs/v1/filesystem.grpc.pb.h"
#include "protos/wire/protocol_version.h"

namespace mirrorfs {

class RawClient {
 public:
  explicit RawClient(const std::string& endpoint)
      : channel_(grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials())),
        stub_(v1::FileSystem::NewStub(channel_)) {}

  static v1::AttachRequest DefaultAttach() {
    v1::AttachRequest request;
    request.set_protocol(kProtocolVersion);
    request.set_client_version("raw");
    request.set_identity(v1::IDENTITY_CONTAINER);
    request.set_read_write(true);
    return request;
  }

  v1::AttachReply Attach(const v1::AttachRequest& request = DefaultAttach()) {
    v1::AttachReply reply;
    const grpc::Status status = Call(&v1::FileSystem::Stub::Attach, request, reply);
    if (!status.ok()) reply.set_message(status.error_message());
    session_ = reply.session();
    return reply;
  }

  uint64_t Session() const { return session_; }
  grpc::Channel& Channel() { return *channel_; }

  // A header of this session. Sequence 0: not numbered.
  v1::RequestHeader Header(uint64_t sequence = 0) const {
    v1::RequestHeader header;
    header.set_session(session_);
    header.set_sequence(sequence);
    return header;
  }

  template <typename Request, typename Reply>
  grpc::Status Call(grpc::Status (v1::FileSystem::Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                    const Request& request, Reply& reply,
                    std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    return (stub_.get()->*method)(&context, request, &reply);
  }

  // errno of the reply to a mkdir in the root, or -1 if there was a gRPC status instead.
  int Mkdir(const std::string& name, v1::RequestHeader header) {
    v1::MkdirRequest request;
    *request.mutable_header() = std::move(header);
    request.set_parent(1);
    request.set_name(name);
    request.set_permissions(0755);
    v1::EntryReply reply;
    if (!Call(&v1::FileSystem::Stub::Mkdir, request, reply).ok()) return -1;
    return reply.header().error();
  }

  v1::FenceOutcome Fence(uint64_t sequence) {
    v1::FenceRequest request;
    *request.mutable_header() = Header();
    request.add_sequences(sequence);
    v1::FenceReply reply;
    if (!Call(&v1::FileSystem::Stub::Fence, request, reply).ok() || reply.outcomes_size() != 1) {
      return v1::FENCE_UNSPECIFIED;
    }
    return reply.outcomes(0);
  }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::FileSystem::Stub> stub_;
  uint64_t session_ = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_RAW_CLIENT_H_
