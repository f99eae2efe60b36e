// What probes are told of a front whose thread stands still.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "agent/service/probe_server.h"
#include "agent/shared/pulse.h"
#include "boost/asio/post.hpp"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kLimit{30};
// grpc.health.v1.HealthCheckResponse
constexpr char kServing[] = "\x08\x01";
constexpr char kNotServing[] = "\x08\x02";

void WaitUntil(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
    std::this_thread::sleep_for(milliseconds(5));
  }
}

// What `grpc:` probes of a kubelet ask.
std::string AskHealth(grpc::GenericStub& stub) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kLimit);
  grpc::CompletionQueue queue;
  const grpc::Slice nothing("");
  const grpc::ByteBuffer request(&nothing, 1);
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
  call->StartCall();
  grpc::ByteBuffer reply;
  grpc::Status status;
  call->Finish(&reply, &status, &reply);
  void* tag = nullptr;
  bool fine = false;
  queue.Next(&tag, &fine);
  grpc::Slice bytes;
  if (!status.ok() || !reply.DumpToSingleSlice(&bytes).ok()) return status.error_message();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

TEST(PulseTest, IsThatOfTheThread) {
  boost::asio::io_context context;
  const Pulse pulse(context, milliseconds(200));
  std::thread thread([&context] { context.run(); });
  WaitUntil([&pulse] { return pulse.Beats(); });
  std::promise<void> go_on;
  boost::asio::post(context, [until = go_on.get_future().share()] { until.wait(); });
  WaitUntil([&pulse] { return !pulse.Beats(); });
  go_on.set_value();
  WaitUntil([&pulse] { return pulse.Beats(); });
  context.stop();
  thread.join();
}

TEST(ProbeServerTest, SaysWhatItIsTold) {
  std::string directory = testing::TempDir() + "/probes-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const std::string where = "unix:" + directory + "/socket";
  std::atomic<bool> serves = true;
  const auto server = ProbeServer::Start(where, [&serves] { return serves.load(); });
  ASSERT_TRUE(server.ok()) << server.status();
  grpc::GenericStub stub(grpc::CreateChannel(where, grpc::InsecureChannelCredentials()));
  EXPECT_EQ(AskHealth(stub), kServing);
  serves = false;
  WaitUntil([&stub] { return AskHealth(stub) == kNotServing; });
  serves = true;
  WaitUntil([&stub] { return AskHealth(stub) == kServing; });
}

}  // namespace
}  // namespace mirrorfs
