// The client's end against an agent whose every answer is a lie: EIO, never a crash, never a wrong name.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fusefs/remote/read_combiner.h"
#include "fusefs/remote/remote_session.h"
#include "gtest/gtest.h"
#include "mirrorfs/v1/filesystem.grpc.pb.h"
#include "protos/shared/errno_status.h"
#include "protos/wire/protocol_version.h"
#include "tests/wire/await_read.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

using grpc::ServerContext;
using grpc::Status;

void FillAttributes(v1::Attributes& attributes, v1::FileType type = v1::FILE_TYPE_REGULAR) {
  attributes.set_type(type);
  attributes.set_permissions(0644);
}

// Answers as the test tells it to.
class LyingAgent : public v1::FileSystem::Service {
 public:
  std::function<void(v1::AttachReply&)> attach = [](v1::AttachReply&) {};
  std::function<void(v1::EntryReply&)> entry = [](v1::EntryReply&) {};
  std::function<void(v1::AttrReply&)> attr = [](v1::AttrReply&) {};
  std::function<void(v1::ReadDirReply&)> page = [](v1::ReadDirReply&) {};
  std::function<void(v1::OpenReply&)> open = [](v1::OpenReply&) {};
  std::function<void(v1::ReadReply&)> read = [](v1::ReadReply&) {};
  std::function<void(v1::ReadManyReply&)> read_many = [](v1::ReadManyReply&) {};
  std::function<void(v1::WriteReply&)> write = [](v1::WriteReply&) {};
  std::string target = "t";
  std::vector<std::string> xattrs;
  uint64_t sought = 0;
  std::atomic<int> many = 0;  // ranges that were asked for together

  Status Attach(ServerContext*, const v1::AttachRequest*, v1::AttachReply* reply) override {
    reply->set_protocol(kProtocolVersion);
    reply->set_session(1);
    reply->set_read_write(true);
    reply->mutable_root()->set_node(1);
    FillAttributes(*reply->mutable_root()->mutable_attributes(), v1::FILE_TYPE_DIRECTORY);
    reply->set_max_read(1 << 20);
    reply->set_max_write(1 << 20);
    reply->set_max_page(1 << 20);
    reply->set_lease_ms(30'000);
    attach(*reply);
    return Status::OK;
  }
  Status Lookup(ServerContext*, const v1::LookupRequest*, v1::EntryReply* reply) override {
    reply->mutable_entry()->set_node(2);
    FillAttributes(*reply->mutable_entry()->mutable_attributes());
    entry(*reply);
    return Status::OK;
  }
  Status GetAttr(ServerContext*, const v1::GetAttrRequest*, v1::AttrReply* reply) override {
    FillAttributes(*reply->mutable_attributes());
    attr(*reply);
    return Status::OK;
  }
  Status Readlink(ServerContext*, const v1::ReadlinkRequest*, v1::ReadlinkReply* reply) override {
    reply->set_target(target);
    return Status::OK;
  }
  Status ReadDir(ServerContext*, const v1::ReadDirRequest*, v1::ReadDirReply* reply) override {
    page(*reply);
    return Status::OK;
  }
  Status Open(ServerContext*, const v1::OpenRequest*, v1::OpenReply* reply) override {
    FillAttributes(*reply->mutable_attributes());
    open(*reply);
    return Status::OK;
  }
  Status Read(ServerContext*, const v1::ReadRequest*, v1::ReadReply* reply) override {
    read(*reply);
    return Status::OK;
  }
  Status ReadMany(ServerContext*, const v1::ReadManyRequest* request, v1::ReadManyReply* reply) override {
    many += request->ranges_size();
    read_many(*reply);
    return Status::OK;
  }
  Status Write(ServerContext*, const v1::WriteRequest*, v1::WriteReply* reply) override {
    write(*reply);
    return Status::OK;
  }
  Status Seek(ServerContext*, const v1::SeekRequest*, v1::SeekReply* reply) override {
    reply->set_offset(sought);
    return Status::OK;
  }
  Status ListXattr(ServerContext*, const v1::ListXattrRequest*, v1::ListXattrReply* reply) override {
    for (const std::string& name : xattrs) reply->add_names(name);
    return Status::OK;
  }
};

class LyingAgentTest : public testing::Test {
 protected:
  LyingAgentTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(Endpoint(), grpc::InsecureServerCredentials());
    builder.SetMaxSendMessageSize(-1);
    builder.RegisterService(&agent_);
    server_ = builder.BuildAndStart();
  }
  ~LyingAgentTest() override {
    session_.reset();
    server_->Shutdown(std::chrono::system_clock::now());
  }

  std::string Endpoint() const { return "unix:" + directory_.Path() + "/liar.sock"; }
  absl::Status Connect() {
    auto session = RemoteSession::Connect({.endpoint = Endpoint(), .read_write = true});
    if (!session.ok()) return session.status();
    session_ = *std::move(session);
    return absl::OkStatus();
  }
  FileSystem& Files() {
    if (session_ == nullptr) {
      EXPECT_TRUE(Connect().ok());
    }
    return session_->Files();
  }
  int LookupError(const std::function<void(v1::EntryReply&)>& lie) {
    agent_.entry = lie;
    return ToErrno(Files().Lookup({}, NodeId::kRoot, "n").status());
  }
  int FailuresOfReadsTogether(const std::function<void(v1::ReadManyReply&)>& lie);
  int PageError(
      const std::string& name, const std::function<void(v1::ReadDirReply&)>& lie = [](auto&) {}) {
    agent_.page = [&](v1::ReadDirReply& reply) {
      reply.add_entries()->set_name(name);
      reply.mutable_entries(0)->set_type(v1::FILE_TYPE_REGULAR);
      lie(reply);
    };
    return ToErrno(Files().ReadDir({}, NodeId::kRoot, DirCursor::kStart, 1 << 20, true).status());
  }

  TemporaryDirectory directory_;
  LyingAgent agent_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<RemoteSession> session_;
};

TEST_F(LyingAgentTest, ImpossibleAttachments) {
  const auto refused = [&](const std::function<void(v1::AttachReply&)>& lie) {
    agent_.attach = lie;
    return !Connect().ok();
  };
  EXPECT_FALSE(refused([](v1::AttachReply&) {}));
  EXPECT_TRUE(refused([](v1::AttachReply& r) { r.clear_root(); }));
  EXPECT_TRUE(refused([](v1::AttachReply& r) { r.mutable_root()->set_node(7); }));
  EXPECT_TRUE(refused([](v1::AttachReply& r) { r.mutable_identity_groups()->Resize(65537, 1); }));
  EXPECT_TRUE(
      refused([](v1::AttachReply& r) { r.mutable_root()->mutable_attributes()->set_type(v1::FILE_TYPE_FIFO); }));
  EXPECT_TRUE(refused([](v1::AttachReply& r) { r.set_max_read(0); }));
  EXPECT_TRUE(refused([](v1::AttachReply& r) { r.set_max_write(1 << 30); }));
  EXPECT_TRUE(refused([](v1::AttachReply& r) { r.set_lease_ms(0); }));
  EXPECT_TRUE(refused([](v1::AttachReply& r) { r.set_read_write(false); }));
  EXPECT_TRUE(refused([](v1::AttachReply& r) { r.mutable_header()->set_error(-5); }));
}

TEST_F(LyingAgentTest, AnotherVersionIsNamed) {
  agent_.attach = [](v1::AttachReply& reply) {
    reply.set_protocol(77);
    reply.set_agent_version("7.7.7");
  };
  const std::string message(Connect().message());
  EXPECT_NE(message.find("protocol 77"), std::string::npos) << message;
  EXPECT_NE(message.find("7.7.7"), std::string::npos) << message;
}

TEST_F(LyingAgentTest, ImpossibleEntries) {
  EXPECT_EQ(LookupError([](v1::EntryReply&) {}), 0);
  EXPECT_EQ(LookupError([](v1::EntryReply& r) { r.clear_entry(); }), EIO);
  EXPECT_EQ(LookupError([](v1::EntryReply& r) { r.mutable_entry()->set_node(0); }), EIO);
  EXPECT_EQ(LookupError([](v1::EntryReply& r) { r.mutable_entry()->mutable_attributes()->set_size(~uint64_t{0}); }),
            EIO);
  EXPECT_EQ(LookupError([](v1::EntryReply& r) { r.mutable_header()->set_error(-1); }), EIO);
  EXPECT_EQ(LookupError([](v1::EntryReply& r) { r.mutable_header()->set_error(100'000); }), EIO);
  EXPECT_EQ(LookupError([](v1::EntryReply& r) { r.mutable_header()->set_error(ENOENT); }), ENOENT);
}

TEST_F(LyingAgentTest, ImpossibleDirectories) {
  EXPECT_EQ(PageError("fine"), 0);
  for (const std::string& name : {std::string("../etc"), std::string(".."), std::string("."), std::string(""),
                                  std::string("a\0b", 3), std::string(300, 'n')}) {
    EXPECT_EQ(PageError(name), EIO) << name;
  }
  EXPECT_EQ(PageError("n", [](v1::ReadDirReply& r) { r.mutable_entries(0)->mutable_entry()->set_node(0); }), EIO);
  EXPECT_EQ(PageError("n",
                      [](v1::ReadDirReply& r) {
                        r.mutable_entries(0)->mutable_entry()->set_node(5);
                        FillAttributes(*r.mutable_entries(0)->mutable_entry()->mutable_attributes(),
                                       v1::FILE_TYPE_DIRECTORY);
                      }),
            EIO);
  // An endless directory of empty pages, and a page of a million entries.
  EXPECT_EQ(PageError("n",
                      [](v1::ReadDirReply& r) {
                        r.clear_entries();
                        r.set_cursor(9);
                      }),
            EIO);
  EXPECT_EQ(PageError("n",
                      [](v1::ReadDirReply& r) {
                        for (int i = 0; i < 300'000; ++i) r.add_entries()->set_name("x");
                      }),
            EIO);
}

TEST_F(LyingAgentTest, ImpossibleData) {
  ASSERT_TRUE(Files().Open({}, NodeId{2}, HandleId{1}, {.read = true, .write = true}, 0).ok());
  agent_.read = [](v1::ReadReply& reply) { reply.set_data(std::string(101, 'x')); };
  EXPECT_EQ(ToErrno(Files().Read({}, HandleId{1}, 0, 100).status()), EIO);
  agent_.read = [](v1::ReadReply& reply) { reply.set_data(std::string(6 << 20, 'x')); };
  EXPECT_EQ(ToErrno(Files().Read({}, HandleId{1}, 0, 100).status()), EIO);
  agent_.write = [](v1::WriteReply& reply) { reply.set_written(5); };
  EXPECT_EQ(ToErrno(Files().Write({}, HandleId{1}, 0, absl::Cord("data")).status()), EIO);
  agent_.open = [](v1::OpenReply& reply) {
    reply.set_has_inline_data(true);
    reply.set_inline_data("too much");
  };
  EXPECT_EQ(ToErrno(Files().Open({}, NodeId{2}, HandleId{2}, {.read = true}, 4).status()), EIO);
  agent_.open = [](v1::OpenReply& reply) { reply.mutable_attributes()->set_type(v1::FILE_TYPE_CHARACTER_DEVICE); };
  EXPECT_EQ(ToErrno(Files().Open({}, NodeId{2}, HandleId{3}, {.read = true}, 4).status()), EIO);
  agent_.sought = 5;
  EXPECT_EQ(ToErrno(Files().Seek({}, HandleId{1}, 10, SeekWhence::kData).status()), EIO);
}

// Many small reads at once: the first are held up meanwhile, so others go together. How many have failed.
int LyingAgentTest::FailuresOfReadsTogether(const std::function<void(v1::ReadManyReply&)>& lie) {
  const auto read = [files = DeferredReads::Of(&Files())] {
    return AwaitRead([&](ReadDone done) { files->StartRead({}, HandleId{1}, 0, 4, std::move(done)); });
  };
  agent_.read_many = lie;
  agent_.many = 0;
  int failures = 0;
  // On a busy machine all may have lost patience by then, and go alone.
  for (int tries = 0; tries < 20 && agent_.many == 0; ++tries) {
    agent_.read = [](v1::ReadReply& reply) { reply.set_data("1234"); };
    // The quickest tells how many at once are of use: not as many as there will be.
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(read().ok());
    std::promise<void> go_on;
    agent_.read = [gate = go_on.get_future().share()](v1::ReadReply& reply) {
      gate.wait();
      reply.set_data("1234");
    };
    std::vector<std::future<absl::StatusOr<absl::Cord>>> results;
    for (int i = 0; i < 40; ++i) results.push_back(std::async(std::launch::async, read));
    std::this_thread::sleep_for(ReadCombiner::kPatience / 2);
    go_on.set_value();
    for (auto& result : results) {
      const auto data = result.get();
      failures += ToErrno(data.status()) == EIO;
      if (data.ok()) {
        EXPECT_EQ(*data, "1234");
      }
    }
  }
  EXPECT_GT(agent_.many, 0) << "none went together";
  return failures;
}

TEST_F(LyingAgentTest, ImpossibleOutcomesOfReadsTogether) {
  ASSERT_TRUE(Files().Open({}, NodeId{2}, HandleId{1}, {.read = true}, 0).ok());
  const auto outcome = [](v1::ReadManyReply& reply, int error, uint32_t size) {
    reply.add_outcomes()->set_error(error);
    reply.mutable_outcomes(reply.outcomes_size() - 1)->set_size(size);
  };
  // It is the one who asked that is told; the others ask again for themselves.
  EXPECT_GT(FailuresOfReadsTogether([](v1::ReadManyReply&) {}), 0) << "no outcome at all";
  EXPECT_GT(FailuresOfReadsTogether([&](v1::ReadManyReply& reply) {
              for (int i = 0; i < 50; ++i) outcome(reply, 0, 0);
            }),
            0)
      << "more than ranges";
  EXPECT_GT(FailuresOfReadsTogether([&](v1::ReadManyReply& reply) { outcome(reply, 0, 4); }), 0) << "no data";
  EXPECT_GT(FailuresOfReadsTogether([&](v1::ReadManyReply& reply) {
              outcome(reply, 0, 5);
              reply.set_data("12345");
            }),
            0)
      << "more than asked for";
  EXPECT_GT(FailuresOfReadsTogether([&](v1::ReadManyReply& reply) {
              outcome(reply, 0, 4);
              reply.set_data("1234 and more");
            }),
            0)
      << "data of nobody";
  EXPECT_GT(FailuresOfReadsTogether([&](v1::ReadManyReply& reply) { outcome(reply, -1, 0); }), 0) << "no errno";
  EXPECT_EQ(FailuresOfReadsTogether([&](v1::ReadManyReply& reply) {
              outcome(reply, 0, 4);
              reply.set_data("1234");
            }),
            0)
      << "the truth, of the first";
}

TEST_F(LyingAgentTest, ImpossibleTextsAndTypes) {
  agent_.target = std::string("a\0b", 3);
  EXPECT_EQ(ToErrno(Files().Readlink({}, NodeId{2}).status()), EIO);
  agent_.target = std::string(5000, 't');
  EXPECT_EQ(ToErrno(Files().Readlink({}, NodeId{2}).status()), EIO);
  agent_.xattrs = {"user.a", ""};
  EXPECT_EQ(ToErrno(Files().ListXattr({}, NodeId{2}).status()), EIO);
  agent_.xattrs = std::vector<std::string>(1000, std::string(200, 'x'));
  EXPECT_EQ(ToErrno(Files().ListXattr({}, NodeId{2}).status()), EIO);
  agent_.attr = [](v1::AttrReply& reply) { reply.mutable_attributes()->set_type(static_cast<v1::FileType>(99)); };
  EXPECT_EQ(ToErrno(Files().GetAttr({}, {NodeId{2}}).status()), EIO);
}

TEST_F(LyingAgentTest, AMethodThatIsNotThere) { EXPECT_EQ(ToErrno(Files().StatFs({}, NodeId::kRoot).status()), EIO); }

}  // namespace
}  // namespace mirrorfs
