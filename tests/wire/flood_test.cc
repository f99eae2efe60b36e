// A client that floods the agent, beside one that behaves: what the agent holds stays bounded, and the other one goes
// on. How long the other one's calls take is printed, not asserted: machines are noisy.
#include "tests/wire/flood.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>

#include "fmt/format.h"
#include "fusefs/remote/remote_session.h"
#include "gtest/gtest.h"
#include "protos/shared/unique_fd.h"
#include "tests/wire/agent_process.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

using Clock = std::chrono::steady_clock;
using Stub = v1::FileSystem::Stub;

constexpr uint64_t kMostMemory = 256'000'000;
constexpr int kDescriptors = 4096;
constexpr int kSpareConnections = 32;  // and four for each session
constexpr uint32_t kMiB = 1 << 20;
constexpr size_t kSmall = 1000;
constexpr std::chrono::seconds kQuiet{1};
constexpr std::chrono::seconds kUnderFlood{3};

// How somebody fares who only looks at a small file, again and again.
struct Fare {
  size_t rounds = 0;
  size_t failures = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

class FloodTest : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(served_.Path() + "/small") << std::string(kSmall, 's');
    std::ofstream(served_.Path() + "/big") << "b";
    std::filesystem::resize_file(served_.Path() + "/big", 16 * kMiB);
    std::filesystem::create_directory(served_.Path() + "/many");
    for (int i = 0; i < 2000; ++i) std::ofstream(served_.Path() + "/many/" + std::string(200, 'n') + std::to_string(i));
    agent_.emplace(served_.Path(), sockets_.Path() + "/agent.sock", kDescriptors);
    auto good = RemoteSession::Connect({.endpoint = agent_->Endpoint(), .deadline = absl::Seconds(10)});
    ASSERT_TRUE(good.ok()) << good.status();
    good_ = *std::move(good);
  }

  // A session, and the nodes of its files.
  struct Intruder {
    std::unique_ptr<RawClient> client;
    uint64_t big = 0;
    uint64_t many = 0;
  };
  Intruder NewIntruder() {
    Intruder intruder{.client = std::make_unique<RawClient>(agent_->Endpoint())};
    EXPECT_NE(intruder.client->Attach().session(), 0u);
    intruder.big = Lookup(*intruder.client, "big");
    intruder.many = Lookup(*intruder.client, "many");
    v1::OpenReply reply;
    EXPECT_TRUE(intruder.client->Call(&Stub::Open, OpenOf(*intruder.client, intruder.big, 1), reply).ok());
    EXPECT_EQ(reply.header().error(), 0);
    return intruder;
  }

  static uint64_t Lookup(RawClient& client, const std::string& name) {
    v1::LookupRequest request;
    *request.mutable_header() = client.Header();
    request.set_parent(1);
    request.set_name(name);
    v1::EntryReply reply;
    const grpc::Status status = client.Call(&Stub::Lookup, request, reply);
    return status.ok() && reply.header().error() == 0 ? reply.entry().node() : 0;
  }
  static v1::OpenRequest OpenOf(const RawClient& client, uint64_t node, uint64_t handle) {
    v1::OpenRequest request;
    *request.mutable_header() = client.Header();
    request.set_node(node);
    request.set_handle(handle);
    request.mutable_flags()->set_read(true);
    request.mutable_flags()->set_write(true);
    return request;
  }
  static v1::ReadRequest ReadOf(const RawClient& client, uint32_t size) {
    v1::ReadRequest request;
    *request.mutable_header() = client.Header();
    request.set_handle(1);
    request.set_size(size);
    return request;
  }
  static v1::ReadDirRequest ReadDirOf(const Intruder& intruder) {
    v1::ReadDirRequest request;
    *request.mutable_header() = intruder.client->Header();
    request.set_node(intruder.many);
    request.set_max_bytes(kMiB);
    request.set_with_attributes(true);
    return request;
  }
  static v1::WriteRequest WriteOf(const RawClient& client, size_t size) {
    v1::WriteRequest request;
    *request.mutable_header() = client.Header();
    request.set_handle(1);
    request.set_data(std::string(size, 'w'));
    return request;
  }

  // Opens, reads and closes the small file, as often as there is time for.
  Fare Behave(Clock::duration time) {
    Fare fare;
    std::vector<double> took;
    for (const auto end = Clock::now() + time; Clock::now() < end; ++fare.rounds) {
      const auto begun = Clock::now();
      if (!LookAtSmallFile()) ++fare.failures;
      took.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
    }
    std::sort(took.begin(), took.end());
    fare.p50_ms = took[took.size() / 2];
    fare.p99_ms = took[took.size() * 99 / 100];
    return fare;
  }
  bool LookAtSmallFile() {
    FileSystem& files = good_->Files();
    const auto file = files.Lookup({}, NodeId::kRoot, "small");
    if (!file.ok()) return Failed(file.status());
    const HandleId handle{++last_handle_};
    const auto opened = files.Open({}, file->node, handle, {.read = true}, /*inline_bytes=*/0);
    if (!opened.ok()) return Failed(opened.status());
    const auto data = files.Read({}, handle, 0, 4096);
    files.Release({handle});
    return data.ok() ? data->size() == kSmall : Failed(data.status());
  }
  static bool Failed(const absl::Status& why) {
    fmt::print("{}\n", why.ToString());
    return false;
  }

  // --- Floods. Each goes on until it is let go.

  using Floods = std::vector<std::unique_ptr<Flood>>;
  Flood& NewFlood(Floods& floods) { return *floods.emplace_back(std::make_unique<Flood>(agent_->Endpoint())); }

  void LeaveAnswers(Floods& floods, const Intruder& intruder) {
    const grpc::ByteBuffer request = EncodeMessage(ReadOf(*intruder.client, kMiB));
    for (int i = 0; i < 300; ++i) floods.back()->Leave("Read", request);
  }
  void LeavePages(Floods& floods, const Intruder& intruder) {
    const grpc::ByteBuffer request = EncodeMessage(ReadDirOf(intruder));
    for (int i = 0; i < 300; ++i) floods.back()->Leave("ReadDir", request);
  }
  void LeaveLargeMessages(Floods& floods, const Intruder& intruder) {
    const grpc::ByteBuffer long_request = EncodeMessage(WriteOf(*intruder.client, 4 * kMiB));
    const grpc::ByteBuffer request = EncodeMessage(WriteOf(*intruder.client, kMiB));
    for (int i = 0; i < 100; ++i) floods.back()->Leave("Write", i % 4 == 0 ? long_request : request);
  }
  void LeaveCallsWithoutMessage(Floods& floods) {
    for (int i = 0; i < 320; ++i) floods.back()->Leave("Read", grpc::ByteBuffer());
  }

  // Of one more request in a session whose client takes nothing.
  grpc::StatusCode OneMore(const Intruder& intruder) {
    v1::ReadReply reply;
    return intruder.client->Call(&Stub::Read, ReadOf(*intruder.client, kMiB), reply).error_code();
  }
  void WaitUntilFull(const Intruder& intruder) {
    const auto end = Clock::now() + std::chrono::seconds(60);
    while (OneMore(intruder) != grpc::StatusCode::RESOURCE_EXHAUSTED) {
      ASSERT_LT(Clock::now(), end) << "the agent takes ever more for a client that takes nothing";
    }
  }

  // The other one's fare, without and with the flood.
  void ExpectGoesOn(const char* what, const std::function<void()>& begin) {
    const Fare quiet = Behave(kQuiet);
    begin();
    const Fare flooded = Behave(kUnderFlood);
    fmt::print(
        "{}: another session's p50 {:.2f} ms, p99 {:.2f} ms; quiet {:.2f} ms, {:.2f} ms ({:.1f}x); agent {} MB\n", what,
        flooded.p50_ms, flooded.p99_ms, quiet.p50_ms, quiet.p99_ms, flooded.p99_ms / quiet.p99_ms,
        agent_->MostBytes() / 1'000'000);
    EXPECT_EQ(quiet.failures, 0u);
    EXPECT_EQ(flooded.failures, 0u) << "of " << flooded.rounds;
    ExpectBounded();
  }
  void ExpectBounded() {
    ASSERT_TRUE(agent_->Lives());
    EXPECT_LE(agent_->MostBytes(), kMostMemory);
  }

  TemporaryDirectory served_;
  TemporaryDirectory sockets_;
  std::optional<AgentProcess> agent_;
  uint64_t last_handle_ = 0;
  std::unique_ptr<RemoteSession> good_;  // as the daemon has one: what is refused for now it asks again
};

TEST_F(FloodTest, AnswersThatNobodyReads) {
  Floods floods;
  std::vector<Intruder> intruders;
  ExpectGoesOn("unread answers", [&] {
    for (int i = 0; i < 16; ++i) {
      intruders.push_back(NewIntruder());
      NewFlood(floods);
      LeaveAnswers(floods, intruders.back());
    }
  });
  WaitUntilFull(intruders.front());
  floods.clear();
  const auto end = Clock::now() + std::chrono::seconds(60);
  while (OneMore(intruders.front()) != grpc::StatusCode::OK) ASSERT_LT(Clock::now(), end) << "it is not given back";
  ExpectBounded();
}

TEST_F(FloodTest, DirectoriesThatNobodyReads) {
  Floods floods;
  std::vector<Intruder> intruders;
  ExpectGoesOn("unread directories", [&] {
    for (int i = 0; i < 16; ++i) {
      intruders.push_back(NewIntruder());
      NewFlood(floods);
      LeavePages(floods, intruders.back());
    }
  });
  WaitUntilFull(intruders.front());
  ExpectBounded();
}

TEST_F(FloodTest, LargeMessages) {
  Floods floods;
  std::vector<Intruder> intruders;
  for (int i = 0; i < 8; ++i) intruders.push_back(NewIntruder());
  ExpectGoesOn("large messages", [&] {
    for (const Intruder& intruder : intruders) {
      NewFlood(floods);
      LeaveLargeMessages(floods, intruder);
    }
  });
  floods.clear();
  v1::WriteReply reply;
  const RawClient& client = *intruders.front().client;
  EXPECT_TRUE(intruders.front().client->Call(&Stub::Write, WriteOf(client, kMiB + 1), reply).ok());
  EXPECT_EQ(reply.header().error(), EINVAL);
  EXPECT_EQ(intruders.front().client->Call(&Stub::Write, WriteOf(client, 2 * kMiB), reply).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  ExpectBounded();
}

TEST_F(FloodTest, FilesThatNobodyCloses) {
  const Intruder intruder = NewIntruder();
  int opened = 1;
  int error = 0;
  ExpectGoesOn("open files", [&] {
    for (; error == 0 && opened < kDescriptors; opened += error == 0) {
      v1::OpenReply reply;
      ASSERT_TRUE(
          intruder.client
              ->Call(&Stub::Open, OpenOf(*intruder.client, intruder.big, static_cast<uint64_t>(opened) + 1), reply)
              .ok());
      error = reply.header().error();
    }
  });
  EXPECT_EQ(error, ENFILE);
  EXPECT_GT(opened, kDescriptors / 4);
  // Another one may still open as many as it is likely to need.
  const Intruder other = NewIntruder();
  for (uint64_t handle = 2; handle < 60; ++handle) {
    v1::OpenReply reply;
    ASSERT_TRUE(other.client->Call(&Stub::Open, OpenOf(*other.client, other.big, handle), reply).ok());
    ASSERT_EQ(reply.header().error(), 0) << handle;
  }
  // What is closed can be opened.
  v1::ReleaseRequest release;
  *release.mutable_header() = intruder.client->Header();
  release.add_handles()->set_handle(2);
  v1::EmptyReply released;
  ASSERT_TRUE(intruder.client->Call(&Stub::Release, release, released).ok());
  v1::OpenReply reply;
  ASSERT_TRUE(intruder.client->Call(&Stub::Open, OpenOf(*intruder.client, intruder.big, 2), reply).ok());
  EXPECT_EQ(reply.header().error(), ENFILE) << "the other one's files count, too";
}

TEST_F(FloodTest, SessionsAndConnections) {
  std::vector<std::unique_ptr<RawClient>> clients;
  std::vector<UniqueFd> sockets;
  int error = 0;
  ExpectGoesOn("sessions and connections", [&] {
    while (error == 0 && clients.size() < 1000) {
      clients.push_back(std::make_unique<RawClient>(agent_->Endpoint()));
      error = clients.back()->Attach().header().error();
    }
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    agent_->Endpoint().substr(5).copy(address.sun_path, sizeof address.sun_path - 1);
    for (int i = 0; i < 1000; ++i) {
      sockets.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      ASSERT_EQ(::connect(sockets.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
  });
  EXPECT_EQ(error, EUSERS);
  EXPECT_EQ(clients.size(), 64u);  // with the good one, and without the last
  const auto end = Clock::now() + std::chrono::seconds(60);
  int open = 0;
  do {
    ASSERT_LT(Clock::now(), end);
    open = static_cast<int>(std::count_if(sockets.begin(), sockets.end(), [](const UniqueFd& socket) {
      pollfd ended{.fd = socket.get(), .events = POLLRDHUP, .revents = 0};
      return ::poll(&ended, 1, 0) == 0 || (ended.revents & (POLLRDHUP | POLLHUP)) == 0;
    }));
  } while (open > kSpareConnections + 4 * 64);
  ExpectBounded();
}

TEST_F(FloodTest, RequestsThatAreNeverSent) {
  Floods floods;
  ExpectGoesOn("requests that are never sent", [&] {
    for (int i = 0; i < 32; ++i) {
      NewFlood(floods);
      LeaveCallsWithoutMessage(floods);
    }
  });
}

TEST_F(FloodTest, AllAtOnce) {
  Floods floods;
  std::vector<Intruder> intruders;
  for (int i = 0; i < 48; ++i) intruders.push_back(NewIntruder());
  ExpectGoesOn("all at once", [&] {
    for (size_t i = 0; i < intruders.size(); ++i) {
      NewFlood(floods);
      if (i % 3 == 0) LeaveAnswers(floods, intruders[i]);
      if (i % 3 == 1) LeavePages(floods, intruders[i]);
      if (i % 3 == 2) LeaveLargeMessages(floods, intruders[i]);
    }
    for (int i = 0; i < 16; ++i) {
      NewFlood(floods);
      LeaveCallsWithoutMessage(floods);
    }
  });
}

}  // namespace
}  // namespace mirrorfs
