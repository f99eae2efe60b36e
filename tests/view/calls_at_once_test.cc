// The core over a real directory: calls on one file that are under way at the same time.
#include <chrono>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "fusefs/core/filesystem_core.h"
#include "gtest/gtest.h"
#include "tests/view/view_box.h"

namespace mirrorfs {
namespace {

// A hook before each write, and one between what a call has found and its answer.
class HeldFiles : public WatchedFiles {
 public:
  explicit HeldFiles(FileSystem& files)
      : WatchedFiles(files, [](std::string_view, std::string_view) { return absl::OkStatus(); }) {}

  std::function<void()> before_write = [] {};
  std::function<void()> after_read = [] {};
  std::function<void()> after_write = [] {};

  absl::StatusOr<absl::Cord> Read(const CallContext& context, HandleId handle, uint64_t offset,
                                  uint32_t size) override {
    auto data = WatchedFiles::Read(context, handle, offset, size);
    after_read();
    return data;
  }
  absl::StatusOr<Written> Write(const CallContext& context, HandleId handle, uint64_t offset,
                                absl::Cord data) override {
    before_write();
    auto written = WatchedFiles::Write(context, handle, offset, std::move(data));
    after_write();
    return written;
  }
};

class CallsAtOnce : public testing::Test {
 protected:
  CallsAtOnce() {
    WriteNative(box_.Container("/f"), "0123456789");
    const auto file = core_.Lookup({}, NodeId::kRoot, "f");
    EXPECT_TRUE(file.ok());
    node_ = file->node;
    reader_ = Open(node_, {.read = true});
    writer_ = Open(node_, {.write = true, .append = true});
  }
  ~CallsAtOnce() override {
    for (const HandleId handle : {reader_, writer_}) core_.Release(handle);
  }

  HandleId Open(NodeId node, OpenFlags flags) {
    const auto opened = core_.Open({}, node, flags);
    EXPECT_TRUE(opened.ok());
    return opened->handle;
  }
  Entry Root() {
    const auto root = files_.GetAttr({}, {.node = NodeId::kRoot});
    EXPECT_TRUE(root.ok());
    return {.node = NodeId::kRoot, .attributes = root->attributes, .identity = {}, .link_target = {}};
  }
  // A page, as the kernel reads it.
  std::future<std::string> ReadPage() {
    auto answer = std::make_shared<std::promise<std::string>>();
    core_.Read({}, reader_, 0, 4096, [answer](const absl::StatusOr<absl::Cord>& data) {
      answer->set_value(data.ok() ? std::string(*data) : data.status().ToString());
    });
    return answer->get_future();
  }
  uint64_t LinkCount() {
    const auto answer = core_.GetAttr({}, node_);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer->attributes.nlink;
  }
  void Append() {
    const auto written = core_.Write({}, writer_, 10, absl::Cord("abcde"), /*from_page_cache=*/false);
    EXPECT_TRUE(written.ok()) << written.status();
  }

  ViewBox box_;
  std::unique_ptr<RootedFilesystem> rooted_ = ViewBox::MakeFiles(box_.Container(), true);
  HeldFiles files_{*rooted_};
  FilesystemCore core_{files_, Root(), {}};
  NodeId node_ = NodeId::kInvalid;
  HandleId reader_ = HandleId::kNone;
  HandleId writer_ = HandleId::kNone;
};

TEST_F(CallsAtOnce, AReadThatComesWhileItsBytesAreWrittenHasThem) {
  std::latch writing(1);
  std::latch go_on(1);
  files_.before_write = [&] {
    writing.count_down();
    go_on.wait();
  };
  std::jthread writer([&] { Append(); });
  writing.wait();
  std::future<std::string> page = std::async(std::launch::async, [&] { return ReadPage().get(); });
  EXPECT_EQ(page.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  go_on.count_down();
  EXPECT_EQ(page.get(), "0123456789abcde");
}

TEST_F(CallsAtOnce, AReadThatAWriteOvertakesIsDoneAgain) {
  bool first = true;
  files_.after_read = [&] {
    if (std::exchange(first, false)) Append();
  };
  EXPECT_EQ(ReadPage().get(), "0123456789abcde");
}

// Past the page cache this may go on for ever: a read has to end nevertheless.
TEST_F(CallsAtOnce, AReadThatIsOvertakenAgainAndAgainEnds) {
  int reads = 0;
  files_.after_read = [&] {
    ++reads;
    Append();
  };
  EXPECT_EQ(ReadPage().get().substr(0, 10), "0123456789");
  EXPECT_GT(reads, 1);
  EXPECT_LT(reads, 10);
}

// It would be there before a write that the kernel has sent earlier has come in.
TEST_F(CallsAtOnce, WhatCameWithTheOpenAnswersNoReadsWhileTheFileIsWritten) {
  int asked = 0;
  files_.after_read = [&] { ++asked; };
  EXPECT_EQ(ReadPage().get(), "0123456789");
  EXPECT_EQ(asked, 1);
  core_.Release(std::exchange(writer_, HandleId::kNone));
  core_.Release(std::exchange(reader_, Open(node_, {.read = true})));
  EXPECT_EQ(ReadPage().get(), "0123456789");
  EXPECT_EQ(asked, 1);
}

// What a write tells of the file was true before the name went, and is heard after that.
TEST_F(CallsAtOnce, AWriteThatIsAnsweredAfterAnUnlinkDoesNotBringBackTheLinkCount) {
  files_.after_write = [&] { EXPECT_TRUE(core_.Unlink({}, NodeId::kRoot, "f").ok()); };
  Append();
  EXPECT_EQ(LinkCount(), 0);
}

TEST_F(CallsAtOnce, TheSameOfANameThatIsNotRememberedAnyMore) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // names are remembered for a second
  files_.after_write = [&] { EXPECT_TRUE(core_.Unlink({}, NodeId::kRoot, "f").ok()); };
  Append();
  EXPECT_EQ(LinkCount(), 0);
}

TEST_F(CallsAtOnce, TheSameOfOneNameOfTwo) {
  ASSERT_TRUE(core_.Link({}, node_, NodeId::kRoot, "second").ok());
  files_.after_write = [&] { EXPECT_TRUE(core_.Unlink({}, NodeId::kRoot, "second").ok()); };
  Append();
  EXPECT_EQ(LinkCount(), 1);
}

TEST_F(CallsAtOnce, AndWhenAnotherFileTakesTheName) {
  WriteNative(box_.Container("/other"), "");
  files_.after_write = [&] {
    EXPECT_TRUE(core_.Rename({}, NodeId::kRoot, "other", NodeId::kRoot, "f", RenameMode::kReplace).ok());
  };
  Append();
  EXPECT_EQ(LinkCount(), 0);
}

}  // namespace
}  // namespace mirrorfs
