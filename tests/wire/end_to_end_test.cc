// Every operation once, from the client's port through a real socket to a real directory.
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "protos/shared/errno_status.h"
#include "tests/wire/in_process_agent.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

constexpr OpenFlags kReadWrite{.read = true, .write = true};

class EndToEndTest : public testing::Test {
 protected:
  void SetUp() override {
    auto agent = InProcessAgent::Start({.directory = directory_.Path()});
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_ = *std::move(agent);
    auto session = agent_->Connect();
    ASSERT_TRUE(session.ok()) << session.status();
    session_ = *std::move(session);
  }

  FileSystem& Files() { return session_->Files(); }
  std::string Path(const std::string& name) const { return directory_.Path() + "/" + name; }
  std::string Content(const std::string& name) const {
    std::ifstream file(Path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Entry MakeFile(const std::string& name, HandleId handle, OpenFlags flags = kReadWrite) {
    auto made = Files().Create({}, {.parent = NodeId::kRoot, .name = name, .permissions = 0644}, true, handle, flags);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? made->entry : Entry{};
  }

  TemporaryDirectory directory_;
  std::unique_ptr<InProcessAgent> agent_;
  std::unique_ptr<RemoteSession> session_;
};

TEST_F(EndToEndTest, FactsNameRootAndLimits) {
  const SessionFacts& facts = session_->Facts();
  EXPECT_EQ(facts.root.node, NodeId::kRoot);
  EXPECT_EQ(facts.root.attributes.type, FileType::kDirectory);
  EXPECT_EQ(facts.max_read, 1u << 20);
  EXPECT_EQ(facts.target, "dir:" + directory_.Path());
}

TEST_F(EndToEndTest, FactsNameTheIdentity) {
  std::vector<uint32_t> groups(getgroups(0, nullptr));
  getgroups(static_cast<int>(groups.size()), groups.data());
  EXPECT_EQ(session_->Facts().identity_uid, geteuid());
  EXPECT_EQ(session_->Facts().identity_gid, getegid());
  EXPECT_EQ(session_->Facts().identity_groups, groups);
  if (geteuid() != 0) return;
  session_.reset();
  const gid_t some[] = {12, 34};
  ASSERT_EQ(setgroups(2, some), 0);
  SetUp();
  EXPECT_EQ(session_->Facts().identity_groups, (std::vector<uint32_t>{12, 34}));
}

TEST_F(EndToEndTest, CreateWriteReadBack) {
  const Entry file = MakeFile("file", HandleId{1});
  const std::string data(3 << 20, 'x');
  auto written = Files().Write({}, HandleId{1}, 5, absl::Cord(data));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->bytes, data.size());
  EXPECT_EQ(written->attributes->size, data.size() + 5);
  auto read = Files().Read({}, HandleId{1}, 0, 4 << 20);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(std::string(*read), std::string(5, '\0') + data);
  EXPECT_EQ(Content("file"), std::string(5, '\0') + data);
  EXPECT_TRUE(Files().Fsync({}, HandleId{1}, false).ok());
  auto attributes = Files().GetAttr({}, {file.node, HandleId{1}});
  ASSERT_TRUE(attributes.ok());
  EXPECT_EQ(attributes->attributes.size, data.size() + 5);
}

TEST_F(EndToEndTest, NamesAndAttributes) {
  ASSERT_TRUE(Files().Mkdir({}, {.parent = NodeId::kRoot, .name = "dir", .permissions = 0750}).ok());
  auto directory = Files().Lookup({}, NodeId::kRoot, "dir");
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ(directory->attributes.permissions, 0750u);
  auto link = Files().Symlink({}, {.parent = directory->node, .name = "link"}, "to/nowhere");
  ASSERT_TRUE(link.ok()) << link.status();
  EXPECT_EQ(*Files().Readlink({}, link->node), "to/nowhere");
  EXPECT_EQ(link->link_target, "to/nowhere");
  auto fifo =
      Files().Mknod({}, {.parent = directory->node, .name = "fifo", .permissions = 0600}, FileType::kFifo, 0, 0);
  ASSERT_TRUE(fifo.ok()) << fifo.status();
  auto page = Files().ReadDir({}, directory->node, DirCursor::kStart, 1 << 20, true);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->entries.size(), 2u);
  EXPECT_EQ(page->next, DirCursor::kEnd);
  EXPECT_TRUE(Files().Access({}, directory->node, {.read = true}).ok());
  EXPECT_GT(Files().StatFs({}, directory->node)->blocks, 0u);
  auto changed =
      Files().SetAttr({}, {directory->node}, {.permissions = 01777, .mtime = TimeValue{.ns = 1'000'000'007}});
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->attributes.permissions, 01777u);
  EXPECT_EQ(changed->attributes.mtime_ns, 1'000'000'007);
  EXPECT_TRUE(Files().Fsyncdir({}, directory->node, false).ok());
}

TEST_F(EndToEndTest, MovingAndRemoving) {
  const Entry file = MakeFile("one", HandleId{1});
  ASSERT_TRUE(Files().Link({}, file.node, NodeId::kRoot, "two").ok());
  EXPECT_EQ(ToErrno(Files().Rename({}, NodeId::kRoot, "one", NodeId::kRoot, "two", RenameMode::kNoReplace).status()),
            EEXIST);
  ASSERT_TRUE(Files().Rename({}, NodeId::kRoot, "one", NodeId::kRoot, "three", RenameMode::kReplace).ok());
  EXPECT_TRUE(std::filesystem::exists(Path("three")));
  ASSERT_TRUE(Files().Unlink({}, NodeId::kRoot, "three").ok());
  ASSERT_TRUE(Files().Mkdir({}, {.parent = NodeId::kRoot, .name = "dir", .permissions = 0755}).ok());
  ASSERT_TRUE(Files().Rmdir({}, NodeId::kRoot, "dir").ok());
  EXPECT_EQ(ToErrno(Files().Lookup({}, NodeId::kRoot, "dir").status()), ENOENT);
  EXPECT_TRUE(std::filesystem::exists(Path("two")));
}

TEST_F(EndToEndTest, OpenWithInlineData) {
  std::ofstream(Path("file")) << "first bytes";
  auto entry = Files().Lookup({}, NodeId::kRoot, "file");
  ASSERT_TRUE(entry.ok());
  auto opened = Files().Open({}, entry->node, HandleId{7}, {.read = true}, 4096);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->inline_data, "first bytes");
  Files().Release({{HandleId{7}}});
  Files().Forget({{{entry->node, 1}}});
  session_->Close();
  EXPECT_EQ(session_->Counts()["Release"].calls, 1u);
  EXPECT_EQ(session_->Counts()["Forget"].calls, 1u);
}

TEST_F(EndToEndTest, HolesCopiesAndSpace) {
  MakeFile("source", HandleId{1});
  MakeFile("copy", HandleId{2});
  ASSERT_TRUE(Files().Write({}, HandleId{1}, 1 << 20, absl::Cord("data")).ok());
  EXPECT_EQ(*Files().Seek({}, HandleId{1}, 0, SeekWhence::kData), 1u << 20);
  EXPECT_EQ(*Files().CopyFileRange({}, HandleId{1}, 1 << 20, HandleId{2}, 0, 4), 4u);
  EXPECT_EQ(Content("copy"), "data");
  ASSERT_TRUE(Files().Fallocate({}, HandleId{2}, FallocateMode::kAllocate, false, 0, 10000).ok());
  EXPECT_EQ(std::filesystem::file_size(Path("copy")), 10000u);
}

TEST_F(EndToEndTest, ExtendedAttributes) {
  const Entry file = MakeFile("file", HandleId{1});
  ASSERT_TRUE(Files().SetXattr({}, file.node, "user.colour", "blue", XattrMode::kCreateOnly).ok());
  EXPECT_EQ(*Files().GetXattr({}, file.node, "user.colour"), "blue");
  EXPECT_EQ(*Files().ListXattr({}, file.node), std::vector<std::string>{"user.colour"});
  ASSERT_TRUE(Files().RemoveXattr({}, file.node, "user.colour").ok());
  EXPECT_EQ(ToErrno(Files().GetXattr({}, file.node, "user.colour").status()), ENODATA);
}

TEST_F(EndToEndTest, LocksConflictAmongOwners) {
  MakeFile("file", HandleId{1});
  const LockRange write{.type = LockType::kWrite, .start = 0, .end = 9};
  ASSERT_TRUE(Files().SetLock({}, HandleId{1}, LockOwner{1}, LockKind::kRange, write, absl::ZeroDuration()).ok());
  EXPECT_EQ(ToErrno(Files().SetLock({}, HandleId{1}, LockOwner{2}, LockKind::kRange, write, absl::ZeroDuration())),
            EAGAIN);
  auto in_the_way = Files().GetLock({}, HandleId{1}, LockOwner{2}, write);
  ASSERT_TRUE(in_the_way.ok()) << in_the_way.status();
  EXPECT_EQ(in_the_way->type, LockType::kWrite);
}

}  // namespace
}  // namespace mirrorfs
