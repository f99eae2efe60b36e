// The core over a real directory: reads beside writes of the same bytes, in the order in which the kernel sent them.
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

// A hook before each write, and one between what a read has found and its answer.
class HeldFiles : public WatchedFiles {
 public:
  explicit HeldFiles(FileSystem& files)
      : WatchedFiles(files, [](std::string_view, std::string_view) { return absl::OkStatus(); }) {}

  std::function<void()> before_write = [] {};
  std::function<void()> after_read = [] {};

  absl::StatusOr<absl::Cord> Read(const CallContext& context, HandleId handle, uint64_t offset,
                                  uint32_t size) override {
    auto data = WatchedFiles::Read(context, handle, offset, size);
    after_read();
    return data;
  }
  absl::StatusOr<Written> Write(const CallContext& context, HandleId handle, uint64_t offset,
                                absl::Cord data) override {
    before_write();
    return WatchedFiles::Write(context, handle, offset, std::move(data));
  }
};

class ReadOrder : public testing::Test {
 protected:
  ReadOrder() {
    WriteNative(box_.Container("/f"), "0123456789");
    const auto file = core_.Lookup({}, NodeId::kRoot, "f");
    EXPECT_TRUE(file.ok());
    reader_ = Open(file->node, {.read = true});
    writer_ = Open(file->node, {.write = true, .append = true});
  }
  ~ReadOrder() override {
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
  void Append() {
    const auto written = core_.Write({}, writer_, 10, absl::Cord("abcde"), /*from_page_cache=*/false);
    EXPECT_TRUE(written.ok()) << written.status();
  }

  ViewBox box_;
  std::unique_ptr<RootedFilesystem> rooted_ = ViewBox::MakeFiles(box_.Container(), true);
  HeldFiles files_{*rooted_};
  FilesystemCore core_{files_, Root(), {.inline_bytes = 0}};
  HandleId reader_ = HandleId::kNone;
  HandleId writer_ = HandleId::kNone;
};

TEST_F(ReadOrder, AReadThatComesWhileItsBytesAreWrittenHasThem) {
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

TEST_F(ReadOrder, AReadThatAWriteOvertakesIsDoneAgain) {
  bool first = true;
  files_.after_read = [&] {
    if (std::exchange(first, false)) Append();
  };
  EXPECT_EQ(ReadPage().get(), "0123456789abcde");
}

// Past the page cache this may go on for ever: a read has to end nevertheless.
TEST_F(ReadOrder, AReadThatIsOvertakenAgainAndAgainEnds) {
  int reads = 0;
  files_.after_read = [&] {
    ++reads;
    Append();
  };
  EXPECT_EQ(ReadPage().get().substr(0, 10), "0123456789");
  EXPECT_GT(reads, 1);
  EXPECT_LT(reads, 10);
}

}  // namespace
}  // namespace mirrorfs
