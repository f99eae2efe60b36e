// A real overlay with lower files: what a container's root is.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <utility>
#include <vector>

#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

// Lower and upper layers on one file system, and on two: then inode numbers are made up by overlayfs.
class Overlay : public RootfsFixture, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    RootfsFixture::SetUp();
    if (IsSkipped()) return;
    tree_ = base_ + "/lower";
    mkdir(tree_.c_str(), 0755);
    if (GetParam() == std::string_view("two")) Mount("tmpfs", "tmpfs", tree_);
    WriteNative("file", "lower data");
    WriteNative("one", "linked");
    ASSERT_EQ(link(Path("one").c_str(), Path("two").c_str()), 0);
    ASSERT_EQ(mkdir(Path("dir").c_str(), 0755), 0);
    WriteNative("dir/inner", "inner data");
    ASSERT_EQ(symlink("dir/inner", Path("sym").c_str()), 0);
    for (int file = 0; file < kFillers; ++file) WriteNative("filler" + std::to_string(file), "");
    MountOverlay();
    RootedFilesystemOptions options = Options();
    options.fd_cache_size = 16;
    files_ = Serve(std::move(options));
  }
  void TearDown() override {
    files_.reset();
    RootfsFixture::TearDown();
  }
  // Uses so many other nodes that no cached descriptor is left.
  void EmptyTheCache() {
    for (int file = 0; file < kFillers; ++file) {
      ASSERT_NE(Walk(*files_, "filler" + std::to_string(file)), NodeId::kInvalid);
    }
  }
  bool CopiedUp(const std::string& name) const {
    struct stat stat = {};
    return lstat((base_ + "/upper/" + name).c_str(), &stat) == 0;
  }
  std::string Read(HandleId handle) {
    auto data = files_->Read({}, handle, 0, 100);
    return data.ok() ? std::string(*data) : Error(data);
  }
  std::string Stat(NodeId node) { return Error(files_->GetAttr({}, {.node = node})); }

  static constexpr int kFillers = 40;
  std::unique_ptr<RootedFilesystem> files_;
};

TEST_P(Overlay, OurOwnCopyUpKeepsTheNode) {
  const NodeId file = Walk(*files_, "file");
  const uint64_t inode = files_->GetAttr({}, {.node = file})->attributes.inode;
  ASSERT_EQ(Error(files_->Open({}, file, HandleId{1}, {.read = true, .write = true}, 0)), "OK");
  EXPECT_TRUE(CopiedUp("file"));
  const HandleId handles[] = {HandleId{1}};
  files_->Release(handles);
  EXPECT_EQ(Walk(*files_, "file"), file);
  EXPECT_EQ(files_->GetAttr({}, {.node = file})->attributes.inode, inode);
}

TEST_P(Overlay, EveryChangeThatCopiesUpKeepsTheNodeOfAFileWithTwoNames) {
  const std::vector<std::pair<std::string, std::function<absl::Status(NodeId)>>> changes = {
      {"permissions", [&](NodeId node) { return files_->SetAttr({}, {.node = node}, {.permissions = 0600}).status(); }},
      {"owner", [&](NodeId node) { return files_->SetAttr({}, {.node = node}, {.uid = 5}).status(); }},
      {"size", [&](NodeId node) { return files_->SetAttr({}, {.node = node}, {.size = 3}).status(); }},
      {"times",
       [&](NodeId node) {
         return files_->SetAttr({}, {.node = node}, {.mtime = TimeValue{false, 5}}).status();
       }},
      {"xattr", [&](NodeId node) { return files_->SetXattr({}, node, "trusted.x", "v", XattrMode::kAny); }},
      {"link", [&](NodeId node) { return files_->Link({}, node, NodeId::kRoot, "third").status(); }},
      {"open", [&](NodeId node) { return files_->Open({}, node, HandleId{9}, {.write = true}, 0).status(); }},
      {"rename",
       [&](NodeId node) { return files_->Rename({}, NodeId::kRoot, "one", NodeId::kRoot, "renamed", {}).status(); }},
  };
  for (const auto& [what, change] : changes) {
    SCOPED_TRACE(what);
    TearDown();
    SetUp();
    const NodeId node = Walk(*files_, "one");
    EXPECT_EQ(Error(change(node)), "OK");
    const HandleId handles[] = {HandleId{9}};
    files_->Release(handles);
    EmptyTheCache();  // only name and identity tell now where it is
    EXPECT_EQ(Stat(node), "OK");
    EXPECT_EQ(Walk(*files_, what == "rename" ? "renamed" : "one"), node);
  }
}

TEST_P(Overlay, BreakingALowerHardLinkMakesTwoFiles) {
  const NodeId one = Walk(*files_, "one");
  ASSERT_EQ(Error(files_->SetAttr({}, {.node = one}, {.permissions = 0600})), "OK");
  const NodeId two = Walk(*files_, "two");
  EXPECT_NE(one, two);
  EXPECT_EQ(files_->GetAttr({}, {.node = one})->attributes.permissions, 0600u);
  EXPECT_EQ(files_->GetAttr({}, {.node = two})->attributes.permissions, 0644u);
}

TEST_P(Overlay, AReadingHandleSeesWhatIsWrittenAfterTheCopyUp) {
  const NodeId file = Walk(*files_, "file");
  ASSERT_EQ(Error(files_->Open({}, file, HandleId{1}, {.read = true}, 0)), "OK");
  EXPECT_FALSE(CopiedUp("file"));
  ASSERT_EQ(Error(files_->Open({}, file, HandleId{2}, {.write = true}, 0)), "OK");
  ASSERT_EQ(Error(files_->Write({}, HandleId{2}, 0, absl::Cord("UPPER"))), "OK");
  EXPECT_EQ(Read(HandleId{1}), "UPPER data");
  EXPECT_EQ(files_->GetAttr({}, {.handle = HandleId{1}})->attributes.size, 10u);
}

TEST_P(Overlay, ACopyUpByTheContainerKeepsTheNode) {
  const NodeId file = Walk(*files_, "file");
  const NodeId inner = Walk(*files_, "dir/inner");
  WriteNative("file", "by the container");
  WriteNative("dir/inner", "by the container");
  EmptyTheCache();
  EXPECT_EQ(Stat(file), "OK");
  EXPECT_EQ(Stat(inner), "OK");
  EXPECT_EQ(Walk(*files_, "file"), file);
  EXPECT_EQ(Walk(*files_, "dir/inner"), inner);
  EXPECT_EQ(files_->GetAttr({}, {.node = file})->attributes.size, 16u);
}

TEST_P(Overlay, CreatingInALowerDirectoryKeepsItsNode) {
  const NodeId dir = Walk(*files_, "dir");
  ASSERT_EQ(Error(files_->Mkdir({}, {.parent = dir, .name = "new", .permissions = 0755})), "OK");
  EXPECT_TRUE(CopiedUp("dir"));
  EXPECT_EQ(Walk(*files_, "dir"), dir);
  EXPECT_EQ(Error(files_->Lookup({}, dir, "inner")), "OK");
}

TEST_P(Overlay, AReadOnlySessionNeverCopiesUp) {
  RootedFilesystemOptions options = Options();
  options.read_write = false;
  auto reader = Serve(std::move(options));
  const NodeId file = Walk(*reader, "file");
  EXPECT_EQ(Error(reader->Open({}, file, HandleId{1}, {.read = true, .write = true}, 0)), "EROFS");
  EXPECT_EQ(Error(reader->Open({}, file, HandleId{1}, {.read = true, .truncate = true}, 0)), "EROFS");
  ASSERT_EQ(Error(reader->Open({}, file, HandleId{1}, {.read = true}, 0)), "OK");
  const LockRange whole = {.type = LockType::kRead};
  EXPECT_EQ(Error(reader->SetLock({}, HandleId{1}, LockOwner{1}, LockKind::kRange, whole, {})), "OK");
  EXPECT_EQ(Error(reader->SetLock({}, HandleId{1}, LockOwner{1}, LockKind::kFlock, {LockType::kWrite}, {})), "OK");
  EXPECT_EQ(Error(reader->SetLock({}, HandleId{1}, LockOwner{2}, LockKind::kRange, {LockType::kWrite}, {})), "EBADF");
  EXPECT_EQ(Error(reader->Fsync({}, HandleId{1}, false)), "OK");
  EXPECT_FALSE(CopiedUp("file"));
}

TEST_P(Overlay, DeletedLowerFilesCanBeMadeAgain) {
  const NodeId before = Walk(*files_, "file");
  ASSERT_EQ(Error(files_->Unlink({}, NodeId::kRoot, "file")), "OK");
  EXPECT_EQ(Error(files_->Lookup({}, NodeId::kRoot, "file")), "ENOENT");
  FileSystem::NewNode where = {.parent = NodeId::kRoot, .name = "file", .permissions = 0644};
  const auto made = files_->Create({}, where, true, HandleId{1}, {.write = true});
  ASSERT_EQ(Error(made), "OK");
  EXPECT_NE(made->entry.node, before);
}

TEST_P(Overlay, TheRootsOwnInodeNumbersAreShown) {
  if (GetParam() == std::string_view("two")) GTEST_SKIP() << "its files are on devices of their own";
  EXPECT_EQ(files_->Lookup({}, NodeId::kRoot, "file")->attributes.inode, StatNative("file").st_ino);
  const auto page = files_->ReadDir({}, NodeId::kRoot, DirCursor::kStart, 1 << 20, false);
  ASSERT_EQ(Error(page), "OK");
  for (const DirectoryEntry& entry : page->entries) EXPECT_EQ(entry.inode, StatNative(entry.name).st_ino) << entry.name;
}

INSTANTIATE_TEST_SUITE_P(FileSystems, Overlay, testing::Values("one", "two"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace mirrorfs
