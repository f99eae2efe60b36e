// The agent's end, asked by a client that breaks the rules: sessions, exactly once, fences, leases, refusals.
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "protos/shared/unique_fd.h"
#include "protos/wire/boot_clock.h"
#include "protos/wire/bulk.h"
#include "tests/wire/any_method.h"
#include "tests/wire/in_process_agent.h"
#include "tests/wire/raw_client.h"
#include "tests/wire/stuck_filesystem.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

using Stub = v1::FileSystem::Stub;

class AgentProtocolTest : public testing::Test {
 protected:
  void Start(AgentServerOptions server = {.read_write = true, .devices = true}) {
    auto agent = InProcessAgent::Start({.directory = directory_.Path(), .server = std::move(server)});
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_ = *std::move(agent);
    client_.emplace(agent_->Endpoint());
  }
  void StartAndAttach(AgentServerOptions server = {.read_write = true, .devices = true}) {
    Start(std::move(server));
    const v1::AttachReply reply = client_->Attach();
    ASSERT_EQ(reply.header().error(), 0) << reply.message();
    ASSERT_NE(client_->Session(), 0u);
  }
  // A session whose file system hangs in Mkdir, Unlink and Fsync.
  void StartStuck(AgentServerOptions server = {.read_write = true}) {
    server.make_filesystem = [stuck = stuck_](RootedFilesystemOptions) {
      return std::unique_ptr<RootedFilesystem>(new StuckFilesystem(stuck));
    };
    StartAndAttach(std::move(server));
  }
  void TearDown() override { stuck_->Open(); }
  bool Exists(const std::string& name) const { return std::filesystem::exists(directory_.Path() + "/" + name); }

  TemporaryDirectory directory_;
  std::shared_ptr<Stuck> stuck_ = std::make_shared<Stuck>();
  std::unique_ptr<InProcessAgent> agent_;
  std::optional<RawClient> client_;
};

TEST_F(AgentProtocolTest, TheSameNumberIsDoneOnce) {
  StartAndAttach();
  EXPECT_EQ(client_->Mkdir("once", client_->Header(1)), 0);
  EXPECT_EQ(client_->Mkdir("once", client_->Header(1)), 0);
  EXPECT_EQ(client_->Mkdir("once", client_->Header(2)), EEXIST);
  EXPECT_EQ(client_->Mkdir("once", client_->Header(2)), EEXIST);
  std::filesystem::remove(directory_.Path() + "/once");
  EXPECT_EQ(client_->Mkdir("once", client_->Header(1)), 0);
  EXPECT_FALSE(Exists("once"));
}

TEST_F(AgentProtocolTest, WhatWasAcknowledgedIsNeverDoneAgain) {
  StartAndAttach();
  EXPECT_EQ(client_->Mkdir("a", client_->Header(1)), 0);
  EXPECT_EQ(client_->Mkdir("b", client_->Header(2)), 0);
  v1::RequestHeader header = client_->Header(3);
  header.add_answered(2);
  EXPECT_EQ(client_->Mkdir("c", header), 0);
  std::filesystem::remove(directory_.Path() + "/b");
  EXPECT_EQ(client_->Mkdir("b", client_->Header(2)), EIO);
  header = client_->Header(4);
  header.set_answered_below(4);
  EXPECT_EQ(client_->Mkdir("d", header), 0);
  std::filesystem::remove(directory_.Path() + "/a");
  EXPECT_EQ(client_->Mkdir("a", client_->Header(1)), EIO);
  EXPECT_FALSE(Exists("a"));
  EXPECT_FALSE(Exists("b"));
}

TEST_F(AgentProtocolTest, ADuplicateOfARunningOneSharesItsAnswer) {
  StartStuck();
  auto first = std::async([&] { return client_->Mkdir("x", client_->Header(1)); });
  stuck_->WaitForInside(1);
  auto second = std::async([&] { return client_->Mkdir("x", client_->Header(1)); });
  EXPECT_EQ(client_->Fence(1), v1::FENCE_RUNNING);
  stuck_->Open();
  EXPECT_EQ(first.get(), 0);
  EXPECT_EQ(second.get(), 0);
  EXPECT_EQ(stuck_->inside, 1);
  EXPECT_EQ(client_->Fence(1), v1::FENCE_DONE);
}

TEST_F(AgentProtocolTest, AFenceStopsWhatHasNotBegun) {
  StartAndAttach();
  EXPECT_EQ(client_->Fence(5), v1::FENCE_NEVER);
  EXPECT_EQ(client_->Mkdir("late", client_->Header(5)), EIO);
  EXPECT_FALSE(Exists("late"));
  EXPECT_EQ(client_->Mkdir("done", client_->Header(6)), 0);
  EXPECT_EQ(client_->Fence(6), v1::FENCE_DONE);
}

TEST_F(AgentProtocolTest, AFenceStopsWhatWaitsForAWorker) {
  StartStuck({.read_write = true, .max_workers = 1});
  // An fsync never runs where it came, so it is the worker that is held; and then nothing else runs where it came.
  auto running = std::async([&] {
    v1::FsyncRequest request;
    *request.mutable_header() = client_->Header(1);
    request.set_handle(1);
    v1::EmptyReply reply;
    return client_->Call(&Stub::Fsync, request, reply).ok() ? reply.header().error() : -1;
  });
  stuck_->WaitForInside(1);
  auto waiting = std::async([&] { return client_->Mkdir("y", client_->Header(2)); });
  // Asked before the request has come in, the fence holds as well.
  EXPECT_EQ(client_->Fence(2), v1::FENCE_NEVER);
  EXPECT_EQ(waiting.get(), EIO);
  stuck_->Open();
  EXPECT_EQ(running.get(), 0);
  EXPECT_EQ(stuck_->inside, 1);
}

TEST_F(AgentProtocolTest, WhatHasExpiredIsNotBegun) {
  StartAndAttach();
  v1::RequestHeader header = client_->Header(1);
  header.set_expires_at_ns(BootClockNs() - 1);
  EXPECT_EQ(client_->Mkdir("late", header), EIO);
  EXPECT_FALSE(Exists("late"));
  header = client_->Header(2);
  header.set_expires_at_ns(BootClockNs() + 60'000'000'000);
  EXPECT_EQ(client_->Mkdir("early", header), 0);
}

TEST_F(AgentProtocolTest, AHungFileSystemHurtsOnlyItself) {
  StartStuck({.read_write = true, .max_workers = 8, .max_workers_per_device = 2});
  std::vector<std::future<int>> stuck;
  for (uint64_t i = 1; i <= 10; ++i) {
    stuck.push_back(std::async([this, i] { return client_->Mkdir("x", client_->Header(i)); }));
  }
  stuck_->WaitForInside(2);
  v1::GetAttrRequest request;
  *request.mutable_header() = client_->Header();
  request.set_node(77);
  v1::AttrReply reply;
  EXPECT_TRUE(client_->Call(&Stub::GetAttr, request, reply).ok());
  EXPECT_EQ(reply.header().error(), 0);
  EXPECT_EQ(stuck_->inside, 2);
  stuck_->Open();
  for (auto& one : stuck) EXPECT_EQ(one.get(), 0);
}

TEST_F(AgentProtocolTest, WhatWaitsBeyondItsDeadlineIsNotDone) {
  StartStuck({.read_write = true, .max_workers = 1});
  // The first is held where it came and the second by the worker; or the first by the worker, and the second waits.
  auto running = std::async([&] { return client_->Mkdir("x", client_->Header(1)); });
  stuck_->WaitForInside(1);
  auto with_worker = std::async([&] { return client_->Mkdir("z", client_->Header(2)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  v1::UnlinkRequest request;
  *request.mutable_header() = client_->Header(3);
  request.set_parent(1);
  request.set_name("y");
  v1::RemoveReply reply;
  const grpc::Status status = client_->Call(&Stub::Unlink, request, reply, std::chrono::milliseconds(200));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // The agent counts the time from when the call arrived, which is a little later than the client does.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  stuck_->Open();
  EXPECT_EQ(running.get(), 0);
  EXPECT_EQ(with_worker.get(), 0);
  EXPECT_TRUE(client_->Call(&Stub::Unlink, request, reply).ok());
  EXPECT_EQ(reply.header().error(), ETIMEDOUT);
  EXPECT_EQ(stuck_->inside, 2);
}

TEST_F(AgentProtocolTest, ASilentSessionEndsAndItsLocksGo) {
  StartAndAttach({.read_write = true, .lease = absl::Milliseconds(300)});
  std::ofstream(directory_.Path() + "/file") << "x";
  v1::LookupRequest lookup;
  *lookup.mutable_header() = client_->Header(1);
  lookup.set_parent(1);
  lookup.set_name("file");
  v1::EntryReply entry;
  ASSERT_TRUE(client_->Call(&Stub::Lookup, lookup, entry).ok());
  v1::OpenRequest open;
  *open.mutable_header() = client_->Header(2);
  open.set_node(entry.entry().node());
  open.set_handle(1);
  open.mutable_flags()->set_read(true);
  open.mutable_flags()->set_write(true);
  v1::OpenReply opened;
  ASSERT_TRUE(client_->Call(&Stub::Open, open, opened).ok());
  ASSERT_EQ(opened.header().error(), 0);
  v1::SetLockRequest lock;
  *lock.mutable_header() = client_->Header(3);
  lock.set_handle(1);
  lock.set_owner(1);
  lock.mutable_lock()->set_type(v1::LOCK_TYPE_WRITE);
  lock.mutable_lock()->set_end(10);
  v1::SetLockReply locked;
  ASSERT_TRUE(client_->Call(&Stub::SetLock, lock, locked).ok());
  ASSERT_EQ(locked.header().error(), 0);

  // Another client waits for the lock: it gets it when the first one's lease is over.
  auto other = agent_->Connect();
  ASSERT_TRUE(other.ok()) << other.status();
  FileSystem& files = (*other)->Files();
  const absl::StatusOr<Entry> same = files.Lookup({}, NodeId::kRoot, "file");
  ASSERT_TRUE(same.ok());
  ASSERT_TRUE(files.Open({}, same->node, HandleId{1}, {.read = true, .write = true}, 0).ok());
  const LockRange range{.type = LockType::kWrite, .start = 0, .end = 10};
  EXPECT_TRUE(files.SetLock({}, HandleId{1}, LockOwner{1}, LockKind::kRange, range, absl::Seconds(20)).ok());
  EXPECT_EQ(client_->Mkdir("x", client_->Header(4)), -1);
  EXPECT_EQ(agent_->Server().SessionCount(), 1u);
}

TEST_F(AgentProtocolTest, OneWaitingLocksDoNotTakeWorkers) {
  StartAndAttach({.read_write = true, .max_workers = 2});
  auto session = agent_->Connect();
  ASSERT_TRUE(session.ok());
  FileSystem& files = (*session)->Files();
  ASSERT_TRUE(files
                  .Create({}, {.parent = NodeId::kRoot, .name = "f", .permissions = 0644}, true, HandleId{1},
                          {.read = true, .write = true})
                  .ok());
  const LockRange range{.type = LockType::kWrite, .start = 0, .end = 10};
  ASSERT_TRUE(files.SetLock({}, HandleId{1}, LockOwner{1}, LockKind::kRange, range, absl::ZeroDuration()).ok());
  std::vector<std::future<absl::Status>> waiting;
  for (uint64_t owner = 2; owner < 8; ++owner) {
    waiting.push_back(std::async([&files, range, owner] {
      const absl::Status got =
          files.SetLock({}, HandleId{1}, LockOwner{owner}, LockKind::kRange, range, absl::Seconds(60));
      if (!got.ok()) return got;
      LockRange unlock = range;
      unlock.type = LockType::kUnlock;
      return files.SetLock({}, HandleId{1}, LockOwner{owner}, LockKind::kRange, unlock, absl::ZeroDuration());
    }));
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(files.GetAttr({}, {NodeId::kRoot}).ok());
  LockRange unlock = range;
  unlock.type = LockType::kUnlock;
  ASSERT_TRUE(files.SetLock({}, HandleId{1}, LockOwner{1}, LockKind::kRange, unlock, absl::ZeroDuration()).ok());
  for (auto& one : waiting) EXPECT_TRUE(one.get().ok());
}

TEST_F(AgentProtocolTest, AnotherVersionIsToldBothVersions) {
  Start();
  v1::AttachRequest request = RawClient::DefaultAttach();
  request.set_protocol(99);
  request.set_client_version("9.9.9");
  const v1::AttachReply reply = client_->Attach(request);
  EXPECT_EQ(reply.header().error(), EPROTONOSUPPORT);
  EXPECT_NE(reply.message().find("9.9.9"), std::string::npos) << reply.message();
  EXPECT_NE(reply.message().find("protocol 99"), std::string::npos) << reply.message();
  EXPECT_NE(reply.message().find("protocol " + std::to_string(kProtocolVersion)), std::string::npos) << reply.message();
  EXPECT_EQ(reply.session(), 0u);
}

TEST_F(AgentProtocolTest, WhatTheAgentDoesNotAllowIsRefused) {
  Start({.read_write = false, .devices = false, .allow_fixed = false, .token = "0123456789abcdef"});
  const auto refused = [&](const std::function<void(v1::AttachRequest&)>& ask) {
    v1::AttachRequest request = RawClient::DefaultAttach();
    request.set_read_write(false);
    request.set_token("0123456789abcdef");
    ask(request);
    const v1::AttachReply reply = client_->Attach(request);
    EXPECT_EQ(reply.header().error() == 0, reply.session() != 0);
    EXPECT_EQ(reply.header().error() == 0, reply.message().empty());
    return reply.header().error();
  };
  EXPECT_EQ(refused([](v1::AttachRequest&) {}), 0);
  EXPECT_EQ(refused([](v1::AttachRequest& r) { r.set_token(""); }), EACCES);
  EXPECT_EQ(refused([](v1::AttachRequest& r) { r.set_token("0123456789abcdee"); }), EACCES);
  EXPECT_EQ(refused([](v1::AttachRequest& r) { r.set_read_write(true); }), EROFS);
  EXPECT_EQ(refused([](v1::AttachRequest& r) { r.set_devices(true); }), EPERM);
  EXPECT_EQ(refused([](v1::AttachRequest& r) { r.set_target("docker/other"); }), ENXIO);
  EXPECT_EQ(refused([](v1::AttachRequest& r) { r.set_identity(v1::IDENTITY_FIXED); }), EPERM);
  EXPECT_EQ(refused([](v1::AttachRequest& r) { r.set_identity(v1::IDENTITY_UNSPECIFIED); }), EINVAL);
  EXPECT_EQ(refused([](v1::AttachRequest& r) { r.set_identity(static_cast<v1::IdentityKind>(9)); }), EINVAL);
}

TEST_F(AgentProtocolTest, ASessionIsResumedOnlyAsWhatItWas) {
  StartAndAttach();
  const uint64_t session = client_->Session();
  v1::AttachRequest request = RawClient::DefaultAttach();
  request.set_resume_session(session);
  v1::AttachReply reply = client_->Attach(request);
  EXPECT_TRUE(reply.resumed());
  EXPECT_EQ(reply.session(), session);
  request.set_read_write(false);
  reply = client_->Attach(request);
  EXPECT_FALSE(reply.resumed());
  EXPECT_NE(reply.session(), session);
}

TEST_F(AgentProtocolTest, ADeadTargetIsTold) {
  StartAndAttach();
  agent_->SetTargetAlive(false);
  EXPECT_EQ(client_->Mkdir("x", client_->Header(1)), EHOSTDOWN);
  v1::ReadRequest read;
  *read.mutable_header() = client_->Header();
  read.set_handle(1);
  read.set_size(10);
  v1::ReadReply answer;
  ASSERT_TRUE(client_->Call(&Stub::Read, read, answer).ok());
  EXPECT_EQ(answer.header().error(), ESTALE);
  EXPECT_EQ(client_->Attach().header().error(), EHOSTDOWN);
  EXPECT_FALSE(Exists("x"));
}

TEST_F(AgentProtocolTest, EveryMutationOfAReadOnlySessionIsRefused) {
  Start();
  v1::AttachRequest attach = RawClient::DefaultAttach();
  attach.set_read_write(false);
  ASSERT_EQ(client_->Attach(attach).header().error(), 0);
  uint64_t sequence = 100;
  for (const MethodDescriptor* method : AllMethods()) {
    if (ChangesNothing(*method)) continue;
    const AnyAnswer answer = CallAny(client_->Channel(), *method, client_->Session(), ++sequence);
    EXPECT_TRUE(answer.status.ok()) << method->name();
    EXPECT_EQ(answer.error, EROFS) << method->name();
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_.Path()));

  v1::OpenRequest open;
  open.set_node(1);
  open.set_handle(5);
  for (int flag = 0; flag < 3; ++flag) {
    *open.mutable_header() = client_->Header(200 + flag);
    open.mutable_flags()->Clear();
    open.mutable_flags()->set_read(true);
    if (flag == 0) open.mutable_flags()->set_write(true);
    if (flag == 1) open.mutable_flags()->set_append(true);
    if (flag == 2) open.mutable_flags()->set_truncate(true);
    v1::OpenReply reply;
    ASSERT_TRUE(client_->Call(&Stub::Open, open, reply).ok());
    EXPECT_EQ(reply.header().error(), EROFS) << flag;
  }
}

TEST_F(AgentProtocolTest, EveryMethodNeedsASession) {
  Start();
  for (const MethodDescriptor* method : AllMethods()) {
    if (method->name() == "Attach") continue;
    EXPECT_EQ(CallAny(client_->Channel(), *method, client_->Session(), 1).status.error_code(),
              grpc::StatusCode::NOT_FOUND)
        << method->name();
  }
}

TEST_F(AgentProtocolTest, LimitsAreKept) {
  StartAndAttach();
  v1::ReadRequest read;
  *read.mutable_header() = client_->Header();
  read.set_handle(1);
  read.set_size((1 << 20) + 1);
  v1::ReadReply answer;
  ASSERT_TRUE(client_->Call(&Stub::Read, read, answer).ok());
  EXPECT_EQ(answer.header().error(), EINVAL);
  v1::WriteRequest write;
  *write.mutable_header() = client_->Header(1);
  write.set_handle(1);
  write.set_data(std::string((1 << 20) + 1, 'x'));
  v1::WriteReply written;
  ASSERT_TRUE(client_->Call(&Stub::Write, write, written).ok());
  EXPECT_EQ(written.header().error(), EINVAL);
  write.set_data(std::string(8 << 20, 'x'));
  EXPECT_EQ(client_->Call(&Stub::Write, write, written).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(client_->Mkdir("still works", client_->Header(2)), 0);
}

TEST_F(AgentProtocolTest, GarbageOnTheSocketHarmsNobody) {
  StartAndAttach();
  std::mt19937 random(3);
  const std::string path = agent_->Endpoint().substr(5);
  for (int round = 0; round < 50; ++round) {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    std::string bytes = round % 2 == 0 ? "" : "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    while (bytes.size() < 3000) bytes += static_cast<char>(random());
    // The agent may hang up in the middle.
    (void)send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  EXPECT_EQ(client_->Mkdir("still works", client_->Header(1)), 0);
}

TEST_F(AgentProtocolTest, GarbageInMessagesIsRefused) {
  StartAndAttach();
  std::mt19937 random(4);
  for (const char* path : {"/mirrorfs.v1.FileSystem/Write", "/mirrorfs.v1.FileSystem/Rename",
                           "/mirrorfs.v1.FileSystem/Attach", "/mirrorfs.v1.FileSystem/SetLock"}) {
    for (int round = 0; round < 200; ++round) {
      std::string bytes(random() % 300, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random());
      const grpc::internal::RpcMethod rpc(path, grpc::internal::RpcMethod::NORMAL_RPC);
      grpc::Slice slice(bytes.data(), bytes.size());
      const grpc::ByteBuffer request(&slice, 1);
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      grpc::ByteBuffer answer;
      const grpc::Status status =
          grpc::internal::BlockingUnaryCall(&client_->Channel(), rpc, &context, request, &answer);
      EXPECT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    }
  }
  EXPECT_EQ(client_->Mkdir("still works", client_->Header(1)), 0);
}

}  // namespace
}  // namespace mirrorfs
