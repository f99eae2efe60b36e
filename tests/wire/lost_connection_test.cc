// The client's end when connections break, the agent restarts, or nothing answers at all.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "protos/shared/errno_status.h"
#include "tests/wire/breakable_proxy.h"
#include "tests/wire/in_process_agent.h"
#include "tests/wire/stuck_filesystem.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

namespace fs = std::filesystem;

class LostConnectionTest : public testing::Test {
 protected:
  void SetUp() override { Start({.read_write = true}); }
  void Start(AgentServerOptions server, RemoteSessionOptions options = {.read_write = true}) {
    session_.reset();
    proxy_.reset();
    auto agent = InProcessAgent::Start({.directory = served_.Path(), .server = std::move(server)});
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_ = *std::move(agent);
    proxy_.emplace(sockets_.Path() + "/proxy.sock", agent_->Endpoint().substr(5));
    options.endpoint = proxy_->Endpoint();
    auto session = RemoteSession::Connect(options);
    ASSERT_TRUE(session.ok()) << session.status();
    session_ = *std::move(session);
  }
  void TearDown() override { stuck_->Open(); }

  FileSystem& Files() { return session_->Files(); }
  fs::path Path(const std::string& name) const { return served_.Path() + "/" + name; }
  // Runs a call whose answer is lost after `done` holds in the served directory, and cuts the connection then.
  template <typename Call>
  auto WithLostAnswer(Call call, const std::function<bool()>& done) {
    proxy_->DropReplies();
    auto answer = std::async(std::launch::async, call);
    while (!done()) std::this_thread::yield();
    proxy_->Cut();
    return answer.get();
  }
  absl::Status MakeDirectory(const std::string& name) {
    return Files().Mkdir({}, {.parent = NodeId::kRoot, .name = name, .permissions = 0755}).status();
  }
  uint64_t RetriesOf(const std::string& method) { return session_->Counts()[method].retries; }
  NodeId Find(const std::string& name) {
    const absl::StatusOr<Entry> entry = Files().Lookup({}, NodeId::kRoot, name);
    EXPECT_TRUE(entry.ok()) << name << ": " << entry.status();
    return entry.ok() ? entry->node : NodeId::kInvalid;
  }
  void Write(const std::string& name, const std::string& content) { std::ofstream(Path(name)) << content; }
  std::string Content(const std::string& name) {
    std::ifstream file(Path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryDirectory served_;
  TemporaryDirectory sockets_;
  std::shared_ptr<Stuck> stuck_ = std::make_shared<Stuck>();
  std::unique_ptr<InProcessAgent> agent_;
  std::optional<BreakableProxy> proxy_;
  std::unique_ptr<RemoteSession> session_;
};

TEST_F(LostConnectionTest, MkdirIsDoneOnce) {
  EXPECT_TRUE(WithLostAnswer([&] { return MakeDirectory("d"); }, [&] { return fs::exists(Path("d")); }).ok());
  EXPECT_GE(RetriesOf("Mkdir"), 1u);
}

TEST_F(LostConnectionTest, ExclusiveCreateIsDoneOnce) {
  const auto create = [&] {
    return Files()
        .Create({}, {.parent = NodeId::kRoot, .name = "f", .permissions = 0644}, true, HandleId{1},
                {.read = true, .write = true})
        .status();
  };
  const absl::Status status = WithLostAnswer(create, [&] { return fs::exists(Path("f")); });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(Files().Write({}, HandleId{1}, 0, absl::Cord("x")).ok());
}

TEST_F(LostConnectionTest, RenameAndUnlinkAreDoneOnce) {
  Write("a", "1");
  const auto rename = [&] {
    return Files().Rename({}, NodeId::kRoot, "a", NodeId::kRoot, "b", RenameMode::kNoReplace);
  };
  EXPECT_TRUE(WithLostAnswer(rename, [&] { return fs::exists(Path("b")); }).ok());
  const auto unlink = [&] { return Files().Unlink({}, NodeId::kRoot, "b"); };
  EXPECT_TRUE(WithLostAnswer(unlink, [&] { return !fs::exists(Path("b")); }).ok());
}

TEST_F(LostConnectionTest, AppendIsDoneOnce) {
  Write("log", "");
  ASSERT_TRUE(Files().Open({}, Find("log"), HandleId{1}, {.write = true, .append = true}, 0).ok());
  const auto append = [&] { return Files().Write({}, HandleId{1}, 0, absl::Cord("line\n")).status(); };
  EXPECT_TRUE(WithLostAnswer(append, [&] { return fs::file_size(Path("log")) > 0; }).ok());
  EXPECT_EQ(Content("log"), "line\n");
}

TEST_F(LostConnectionTest, ReadsGoOnAfterACut) {
  Write("f", "content");
  ASSERT_TRUE(Files().Open({}, Find("f"), HandleId{1}, {.read = true}, 0).ok());
  for (int round = 0; round < 3; ++round) {
    proxy_->Cut();
    const absl::StatusOr<absl::Cord> data = Files().Read({}, HandleId{1}, 0, 100);
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_EQ(*data, "content");
  }
}

TEST_F(LostConnectionTest, AnAgentThatRestartsGetsNodesAndHandlesBack) {
  Write("f", "content");
  ASSERT_TRUE(fs::create_directory(Path("d")));
  Write("d/inner", "deep");
  const NodeId file = Find("f");
  const NodeId directory = Find("d");
  const absl::StatusOr<Entry> inner = Files().Lookup({}, directory, "inner");
  ASSERT_TRUE(inner.ok());
  ASSERT_TRUE(Files().Open({}, file, HandleId{1}, {.read = true, .write = true, .truncate = true}, 0).ok());
  ASSERT_TRUE(Files().Write({}, HandleId{1}, 0, absl::Cord("content")).ok());
  ASSERT_TRUE(Files().Rename({}, NodeId::kRoot, "f", directory, "moved", RenameMode::kReplace).ok());

  ASSERT_TRUE(agent_->Restart().ok());
  const absl::StatusOr<absl::Cord> data = Files().Read({}, HandleId{1}, 0, 100);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(*data, "content");
  EXPECT_TRUE(Files().Write({}, HandleId{1}, 7, absl::Cord("!")).ok());
  EXPECT_EQ(Content("d/moved"), "content!");
  const absl::StatusOr<AttributesReply> attributes = Files().GetAttr({}, {inner->node});
  ASSERT_TRUE(attributes.ok()) << attributes.status();
  EXPECT_EQ(attributes->attributes.size, 4u);
  EXPECT_TRUE(MakeDirectory("after").ok());
}

TEST_F(LostConnectionTest, WhatIsAnotherFileAfterARestartIsStale) {
  Write("f", "first");
  const NodeId file = Find("f");
  ASSERT_TRUE(Files().Open({}, file, HandleId{1}, {.read = true}, 0).ok());
  fs::rename(Path("f"), Path("kept"));
  Write("f", "second");
  ASSERT_TRUE(agent_->Restart().ok());
  EXPECT_EQ(ToErrno(Files().Read({}, HandleId{1}, 0, 100).status()), ESTALE);
  EXPECT_EQ(ToErrno(Files().GetAttr({}, {file}).status()), ESTALE);
}

TEST_F(LostConnectionTest, AMutationThatARestartedAgentHasForgottenIsAnError) {
  proxy_->DropReplies();
  auto answer = std::async(std::launch::async, [&] { return MakeDirectory("d"); });
  while (!fs::exists(Path("d"))) std::this_thread::yield();
  fs::remove(Path("d"));
  ASSERT_TRUE(agent_->Restart().ok());
  proxy_->Cut();
  EXPECT_EQ(ToErrno(answer.get()), EIO);
  EXPECT_FALSE(fs::exists(Path("d")));
  EXPECT_TRUE(MakeDirectory("e").ok());
}

TEST_F(LostConnectionTest, HandlesThatHeldLocksDoNotSurviveARestart) {
  Write("f", "x");
  ASSERT_TRUE(Files().Open({}, Find("f"), HandleId{1}, {.read = true, .write = true}, 0).ok());
  const LockRange lock{.type = LockType::kWrite, .start = 0, .end = 9};
  ASSERT_TRUE(Files().SetLock({}, HandleId{1}, LockOwner{1}, LockKind::kRange, lock, absl::ZeroDuration()).ok());
  ASSERT_TRUE(agent_->Restart().ok());
  EXPECT_TRUE(Files().GetAttr({}, {NodeId::kRoot}).ok());
  EXPECT_EQ(ToErrno(Files().Read({}, HandleId{1}, 0, 1).status()), EIO);
}

TEST_F(LostConnectionTest, ConnectionsThatComeToAStandstillAreMadeAnew) {
  Start({.read_write = true}, {.read_write = true, .silence_limit = absl::Milliseconds(400)});
  Write("f", "content");
  ASSERT_TRUE(Files().Open({}, Find("f"), HandleId{1}, {.read = true}, 0).ok());
  proxy_->Stall();
  EXPECT_TRUE(MakeDirectory("d").ok());
  EXPECT_TRUE(fs::exists(Path("d")));
  const absl::StatusOr<absl::Cord> data = Files().Read({}, HandleId{1}, 0, 100);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(*data, "content");
  EXPECT_EQ(session_->Counts()["Attach"].calls, 1u);  // the session went on
}

TEST_F(LostConnectionTest, ThroughATunnelAFirstConnectionMayTakeItsTime) {
  const std::string place = sockets_.Path() + "/late.sock";
  RemoteSessionOptions options{.endpoint = "unix:" + place, .read_write = true};
  EXPECT_FALSE(RemoteSession::Connect(options).ok());
  options.silence_limit = absl::Seconds(2);
  auto connecting = std::async(std::launch::async, [&] { return RemoteSession::Connect(options); });
  absl::SleepFor(absl::Milliseconds(300));
  const BreakableProxy late(place, agent_->Endpoint().substr(5));
  const auto session = connecting.get();
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ((*session)->Counts()["Attach"].calls, 1u);
  EXPECT_EQ((*session)->Counts()["Attach"].retries, 0u);
}

TEST_F(LostConnectionTest, ASilentAgentTimesOutAndIsNotAskedForEver) {
  Start({.read_write = true}, {.read_write = true, .deadline = absl::Milliseconds(400)});
  proxy_->Freeze();
  const absl::Time begin = absl::Now();
  EXPECT_EQ(ToErrno(MakeDirectory("d")), ETIMEDOUT);
  EXPECT_EQ(ToErrno(Files().GetAttr({}, {NodeId::kRoot}).status()), ETIMEDOUT);
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
  proxy_->Thaw();
  // What arrives late is refused by its own limit, or was cancelled.
  absl::Status later = Files().GetAttr({}, {NodeId::kRoot}).status();
  while (!later.ok()) later = Files().GetAttr({}, {NodeId::kRoot}).status();
  EXPECT_FALSE(fs::exists(Path("d")));
}

TEST_F(LostConnectionTest, TheCallsOfOneRequestWaitTogetherAsLongAsOne) {
  Start({.read_write = true}, {.read_write = true, .deadline = absl::Milliseconds(600)});
  proxy_->Freeze();
  const CallContext request{.begun = absl::Now()};
  for (int call = 0; call < 8; ++call) {
    EXPECT_EQ(ToErrno(Files().GetAttr(request, {NodeId::kRoot}).status()), ETIMEDOUT);
  }
  EXPECT_LT(absl::Now() - request.begun, absl::Seconds(3)) << "eight deadlines are 4.8 s";
  proxy_->Thaw();
  while (!Files().GetAttr({}, {NodeId::kRoot}).ok()) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_TRUE(Files().GetAttr(request, {NodeId::kRoot}).ok()) << "a sign of life counts for a long request, too";
}

TEST_F(LostConnectionTest, AnAgentThatHasBeenSilentIsNotWaitedForAnew) {
  Start({.read_write = true}, {.read_write = true, .deadline = absl::Milliseconds(600)});
  proxy_->Freeze();
  const absl::Time begin = absl::Now();
  for (int call = 0; call < 10; ++call) {
    EXPECT_EQ(ToErrno(Files().GetAttr({.begun = absl::Now()}, {NodeId::kRoot}).status()), ETIMEDOUT);
    EXPECT_EQ(ToErrno(MakeDirectory("d")), ETIMEDOUT);
  }
  EXPECT_LT(absl::Now() - begin, absl::Seconds(6)) << "twenty deadlines are 12 s";
  proxy_->Thaw();
  while (!Files().GetAttr({}, {NodeId::kRoot}).ok()) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_FALSE(fs::exists(Path("d")));
  EXPECT_EQ(MakeDirectory("d"), absl::OkStatus());
}

TEST_F(LostConnectionTest, AStopEndsAWaitingCall) {
  proxy_->Freeze();
  std::stop_source stop;
  auto answer = std::async(std::launch::async, [&] {
    return ToErrno(Files().GetAttr({.stop = stop.get_token()}, {NodeId::kRoot}).status());
  });
  stop.request_stop();
  EXPECT_EQ(answer.get(), EINTR);
}

TEST_F(LostConnectionTest, AStoppedMutationThatWaitedAtTheAgentIsNeverDone) {
  AgentServerOptions server{.read_write = true, .max_workers = 1};
  server.make_filesystem = [stuck = stuck_](RootedFilesystemOptions) {
    return std::unique_ptr<RootedFilesystem>(new StuckFilesystem(stuck));
  };
  Start(std::move(server));
  // One is held where it came and one by the worker; or the first by the worker, and the other one waits.
  auto running = std::async(std::launch::async, [&] { return MakeDirectory("first"); });
  stuck_->WaitForInside(1);
  auto with_worker = std::async(std::launch::async, [&] { return MakeDirectory("another"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] {
    return ToErrno(Files().Unlink({.stop = stop.get_token()}, NodeId::kRoot, "second").status());
  });
  while (session_->Counts()["Unlink"].calls == 0) std::this_thread::yield();
  stop.request_stop();
  EXPECT_EQ(waiting.get(), EINTR);
  stuck_->Open();
  EXPECT_TRUE(running.get().ok());
  EXPECT_TRUE(with_worker.get().ok());
  EXPECT_TRUE(Files().GetAttr({}, {NodeId::kRoot}).ok());
  EXPECT_EQ(stuck_->inside, 2);
}

TEST_F(LostConnectionTest, ALongFsyncWaitsWhileTheAgentLives) {
  AgentServerOptions server{.read_write = true};
  server.make_filesystem = [stuck = stuck_](RootedFilesystemOptions) {
    return std::unique_ptr<RootedFilesystem>(new StuckFilesystem(stuck));
  };
  Start(std::move(server), {.read_write = true, .deadline = absl::Milliseconds(300)});
  auto fsync = std::async(std::launch::async, [&] { return Files().Fsync({}, HandleId{1}, false); });
  while (session_->Counts()["Fsync"].retries < 3) std::this_thread::yield();
  stuck_->Open();
  EXPECT_TRUE(fsync.get().ok());
  EXPECT_EQ(stuck_->inside, 1);
}

TEST_F(LostConnectionTest, AHeartbeatKeepsAnIdleSession) {
  Start({.read_write = true, .lease = absl::Milliseconds(400)});
  while (session_->Counts()["Ping"].calls < 8) std::this_thread::yield();
  EXPECT_EQ(agent_->Server().SessionCount(), 1u);
  EXPECT_EQ(session_->Counts()["Attach"].calls, 1u);
}

TEST_F(LostConnectionTest, ClosingDetaches) {
  EXPECT_EQ(agent_->Server().SessionCount(), 1u);
  session_->Close();
  EXPECT_EQ(agent_->Server().SessionCount(), 0u);
}

TEST_F(LostConnectionTest, NobodyThereIsAMessageAtOnce) {
  const auto session = RemoteSession::Connect({.endpoint = "unix:" + sockets_.Path() + "/nobody"});
  ASSERT_FALSE(session.ok());
  EXPECT_NE(std::string(session.status().message()).find("/nobody"), std::string::npos) << session.status();
  const auto remote = RemoteSession::Connect({.endpoint = "192.0.2.1:1"});
  EXPECT_EQ(remote.status().code(), absl::StatusCode::kInvalidArgument) << remote.status();
}

}  // namespace
}  // namespace mirrorfs
