// Clients that ask for as much as they can, and take nothing of what they get.
#ifndef MIRRORFS_TESTS_WIRE_FLOOD_H_
#define MIRRORFS_TESTS_WIRE_FLOOD_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "protos/wire/bulk.h"
#include "tests/wire/raw_client.h"

namespace mirrorfs {

// A connection of its own, with calls that are begun and left alone.
class Flood {
 public:
  explicit Flood(const std::string& endpoint) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // nor does the library take for us what it thinks that we can
    channel_ = grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments);
    stub_ = std::make_unique<grpc::GenericStub>(channel_);
    waiter_ = std::thread([this] {
      void* tag = nullptr;
      bool ok = false;
      while (queue_.Next(&tag, &ok)) {
        // A call that has begun sends its request. Nobody ever reads.
        if (auto* begun = static_cast<Left*>(tag); begun != nullptr && ok && begun->request.Valid()) {
          begun->call->WriteLast(begun->request, grpc::WriteOptions(), nullptr);
        }
      }
    });
  }
  ~Flood() {
    for (Left& left : left_) left.context.TryCancel();
    channel_.reset();
    queue_.Shutdown();
    waiter_.join();
  }

  // Its answer is never read. An invalid `request`: none is ever sent.
  void Leave(const std::string& method, const grpc::ByteBuffer& request) {
    Left& left = left_.emplace_back();
    left.request = request;
    left.call = stub_->PrepareCall(&left.context, "/mirrorfs.v1.FileSystem/" + method, &queue_);
    left.call->StartCall(&left);
  }

 private:
  struct Left {
    grpc::ClientContext context;
    grpc::ByteBuffer request;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call;
  };

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::CompletionQueue queue_;
  std::thread waiter_;
  std::deque<Left> left_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_FLOOD_H_
