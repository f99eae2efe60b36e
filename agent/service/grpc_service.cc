#include "agent/service/grpc_service.h"

#include <grpcpp/support/async_unary_call.h>

#include <chrono>
#include <utility>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

// Requests of one method that gRPC may hand over before the next one is asked for; others wait in gRPC.
constexpr int kAwaitedAtOnce = 4;

}  // namespace

// A request that is awaited, then served, then answered.
class GrpcService::Call final : public AnswerQueue::Sent, public PendingAnswer {
 public:
  Call(GrpcService& service, size_t method) : service_(service), method_(method) {}

  void Await() {
    service_.RequestAsyncUnary(static_cast<int>(method_), &context_, &request_, &writer_, service_.answers_.queue(),
                               service_.arrivals_.get(), this);
  }

  // It may be gone when this returns.
  void Serve() {
    service_.Await(method_);
    service_.methods_[method_].serve(request_, absl::FromChrono(context_.deadline()), Reply(this));
  }

  void Finish(const grpc::ByteBuffer& answer, const grpc::Status& status, std::unique_ptr<InFlight> held) override {
    held_ = std::move(held);
    AnswerQueue& answers = service_.answers_;
    AnswerQueue::Sent* const tag = this;
    if (status.ok()) {
      writer_.Finish(answer, status, tag);
    } else {
      writer_.FinishWithError(status, tag);
    }
    answers.NoteSent();
  }

 private:
  GrpcService& service_;
  const size_t method_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  std::unique_ptr<InFlight> held_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer_{&context_};
};

void GrpcService::AddRawMethod(std::string_view name, Serve serve) {
  const Method& method =
      methods_.emplace_back(Method{fmt::format("/mirrorfs.v1.FileSystem/{}", name), std::move(serve)});
  // The library takes ownership of its own description of the method.
  AddMethod(new grpc::internal::RpcServiceMethod(method.path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
  MarkMethodRaw(static_cast<int>(methods_.size()) - 1);
}

void GrpcService::Begin(std::unique_ptr<grpc::ServerCompletionQueue> arrivals) {
  arrivals_ = std::move(arrivals);
  for (size_t method = 0; method < methods_.size(); ++method) {
    for (int i = 0; i < kAwaitedAtOnce; ++i) Await(method);
  }
  threads_ = std::make_unique<ArrivalThreads>([this] { return NextArrival(); },
                                              [](void* arrival) { static_cast<Call*>(arrival)->Serve(); });
}

void GrpcService::Await(size_t method) { (new Call(*this, method))->Await(); }

void* GrpcService::NextArrival() {
  void* tag = nullptr;
  bool arrived = false;
  while (arrivals_->Next(&tag, &arrived)) {
    if (arrived) return tag;
    delete static_cast<Call*>(tag);  // the server ends
  }
  return nullptr;
}

void GrpcService::End(grpc::Server& server) {
  answers_.BeginEnd();
  server.Shutdown(std::chrono::system_clock::now());
  answers_.End();
  arrivals_->Shutdown();
  threads_.reset();
}

}  // namespace mirrorfs
