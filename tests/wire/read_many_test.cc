// Reads that come together, at the agent's end.
#include <cerrno>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/wire/in_process_agent.h"
#include "tests/wire/raw_client.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

using Stub = v1::FileSystem::Stub;

class ReadManyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(directory_.Path() + "/f") << std::string(5000, 'a') << std::string(5000, 'b');
    auto agent = InProcessAgent::Start({.directory = directory_.Path(), .server = {}});
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_ = *std::move(agent);
    client_.emplace(agent_->Endpoint());
    v1::AttachRequest attach = RawClient::DefaultAttach();
    attach.set_read_write(false);
    ASSERT_EQ(client_->Attach(attach).header().error(), 0);
    v1::LookupRequest lookup;
    *lookup.mutable_header() = client_->Header(1);
    lookup.set_parent(1);
    lookup.set_name("f");
    v1::EntryReply entry;
    ASSERT_TRUE(client_->Call(&Stub::Lookup, lookup, entry).ok());
    v1::OpenRequest open;
    *open.mutable_header() = client_->Header(2);
    open.set_node(entry.entry().node());
    open.set_handle(5);
    open.mutable_flags()->set_read(true);
    v1::OpenReply opened;
    ASSERT_TRUE(client_->Call(&Stub::Open, open, opened).ok());
    ASSERT_EQ(opened.header().error(), 0);
  }

  void Add(uint64_t handle, uint64_t offset, uint32_t size) {
    v1::ReadRange& range = *request_.add_ranges();
    range.set_handle(handle);
    range.set_offset(offset);
    range.set_size(size);
  }
  v1::ReadManyReply Ask() {
    *request_.mutable_header() = client_->Header();
    v1::ReadManyReply reply;
    EXPECT_TRUE(client_->Call(&Stub::ReadMany, request_, reply).ok());
    return reply;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<InProcessAgent> agent_;
  std::optional<RawClient> client_;
  v1::ReadManyRequest request_;
};

TEST_F(ReadManyTest, EachHasItsOwnOutcome) {
  Add(5, 4998, 4);
  Add(5, 9998, 100);
  Add(5, 20000, 100);
  const v1::ReadManyReply reply = Ask();
  ASSERT_EQ(reply.header().error(), 0);
  // A slow machine may not come to all of them: those are left out at the end.
  ASSERT_GE(reply.outcomes_size(), 1);
  const std::string expected[] = {"aabb", "bb", ""};
  std::string data;
  for (int i = 0; i < reply.outcomes_size(); ++i) {
    EXPECT_EQ(reply.outcomes(i).error(), 0) << i;
    EXPECT_EQ(reply.outcomes(i).size(), expected[i].size()) << i;
    data += expected[i];
  }
  EXPECT_EQ(reply.data(), data);
}

TEST_F(ReadManyTest, OnlyWhatIsOfTheFirstOnesDeviceIsRead) {
  Add(6, 0, 10);  // not open: of no device
  Add(5, 0, 10);
  v1::ReadManyReply reply = Ask();
  ASSERT_EQ(reply.outcomes_size(), 1);
  EXPECT_EQ(reply.outcomes(0).error(), EBADF);
  request_.mutable_ranges()->SwapElements(0, 1);
  reply = Ask();
  ASSERT_EQ(reply.outcomes_size(), 1);
  EXPECT_EQ(reply.outcomes(0).error(), 0);
  EXPECT_EQ(reply.data(), std::string(10, 'a'));
}

TEST_F(ReadManyTest, NothingAndTooMuchAreRefused) {
  EXPECT_EQ(Ask().header().error(), EINVAL);
  for (int i = 0; i < 65; ++i) Add(5, 0, 0);
  EXPECT_EQ(Ask().header().error(), EINVAL);
  request_.clear_ranges();
  for (int i = 0; i < 3; ++i) Add(5, 0, 512 << 10);
  EXPECT_EQ(Ask().header().error(), EINVAL);
  Add(5, 0, UINT32_MAX);
  EXPECT_EQ(Ask().header().error(), EINVAL);
}

}  // namespace
}  // namespace mirrorfs
