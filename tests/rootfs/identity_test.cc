// A node is one file for ever: never another one that has taken its name or its inode number.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

class NodeIdentity : public RootfsFixture {
 protected:
  void SetUp() override {
    RootfsFixture::SetUp();
    if (IsSkipped()) return;
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
    for (int file = 0; file < 40; ++file) {
      const std::string name = "filler" + std::to_string(file);
      if (fillers_ == 0) WriteNative(name, "");
      ASSERT_NE(Walk(*files_, name), NodeId::kInvalid);
    }
    fillers_ = 1;
  }
  std::string Stat(NodeId node) { return Error(files_->GetAttr({}, {.node = node})); }

  std::unique_ptr<RootedFilesystem> files_;
  int fillers_ = 0;
};

TEST_F(NodeIdentity, AFileThatWasReplacedIsStale) {
  EmptyTheCache();
  for (int round = 0; round < 50; ++round) {
    WriteNative("file", "old");
    const NodeId node = Walk(*files_, "file");
    EmptyTheCache();
    ASSERT_EQ(unlink(Path("file").c_str()), 0);
    WriteNative("file", "new");
    EXPECT_EQ(Stat(node), "ESTALE");
    EXPECT_EQ(Error(files_->Open({}, node, HandleId{1}, {.read = true}, 0)), "ESTALE");
    EXPECT_NE(Walk(*files_, "file"), node);
    ASSERT_EQ(unlink(Path("file").c_str()), 0);
  }
}

TEST_F(NodeIdentity, ReplacedByRenameOrByAnotherTypeIsStale) {
  WriteNative("file", "old");
  ASSERT_EQ(mkdir(Path("dir").c_str(), 0755), 0);
  const NodeId file = Walk(*files_, "file");
  const NodeId dir = Walk(*files_, "dir");
  EmptyTheCache();
  WriteNative("other", "new");
  ASSERT_EQ(rename(Path("other").c_str(), Path("file").c_str()), 0);
  ASSERT_EQ(rmdir(Path("dir").c_str()), 0);
  ASSERT_EQ(symlink("/", Path("dir").c_str()), 0);
  EXPECT_EQ(Stat(file), "ESTALE");
  EXPECT_EQ(Stat(dir), "ESTALE");
  EXPECT_EQ(Error(files_->Lookup({}, dir, "etc")), "ESTALE");
}

TEST_F(NodeIdentity, HardLinksAreFoundUnderAnyNameThatIsLeft) {
  WriteNative("a", "data");
  ASSERT_EQ(link(Path("a").c_str(), Path("b").c_str()), 0);
  const NodeId node = Walk(*files_, "a");
  ASSERT_EQ(Walk(*files_, "b"), node);
  EmptyTheCache();
  ASSERT_EQ(unlink(Path("b").c_str()), 0);
  EXPECT_EQ(Stat(node), "OK");
  EmptyTheCache();
  ASSERT_EQ(unlink(Path("a").c_str()), 0);
  EXPECT_EQ(Stat(node), "ESTALE");
}

TEST_F(NodeIdentity, OurRenamesAreFollowed) {
  ASSERT_EQ(mkdir(Path("dir").c_str(), 0755), 0);
  ASSERT_EQ(mkdir(Path("other").c_str(), 0755), 0);
  WriteNative("dir/file", "data");
  const NodeId dir = Walk(*files_, "dir");
  const NodeId other = Walk(*files_, "other");
  const NodeId file = Walk(*files_, "dir/file");
  ASSERT_EQ(Error(files_->Rename({}, NodeId::kRoot, "dir", other, "moved", RenameMode::kReplace)), "OK");
  EmptyTheCache();
  EXPECT_EQ(Stat(dir), "OK");
  EXPECT_EQ(Stat(file), "OK");
  ASSERT_EQ(Error(files_->Rename({}, dir, "file", NodeId::kRoot, "file", RenameMode::kNoReplace)), "OK");
  ASSERT_EQ(Error(files_->Rename({}, NodeId::kRoot, "file", other, "moved", RenameMode::kExchange)), "OK");
  EmptyTheCache();
  EXPECT_EQ(Stat(dir), "OK");
  EXPECT_EQ(Stat(file), "OK");
  EXPECT_EQ(Walk(*files_, "file"), dir);
  EXPECT_EQ(Walk(*files_, "other/moved"), file);
}

TEST_F(NodeIdentity, ADirectoryMovedBehindOurBackIsStaleUntilItIsFoundAgain) {
  ASSERT_EQ(mkdir(Path("dir").c_str(), 0755), 0);
  WriteNative("dir/file", "data");
  const NodeId dir = Walk(*files_, "dir");
  const NodeId file = Walk(*files_, "dir/file");
  EmptyTheCache();
  ASSERT_EQ(rename(Path("dir").c_str(), Path("moved").c_str()), 0);
  EXPECT_EQ(Stat(file), "ESTALE");
  EXPECT_EQ(Stat(dir), "ESTALE");
  EXPECT_EQ(Walk(*files_, "moved"), dir);
  EmptyTheCache();
  EXPECT_EQ(Stat(file), "OK");
}

TEST_F(NodeIdentity, UnlinkedButOpenFilesGoOnByNode) {
  WriteNative("file", "data");
  const NodeId node = Walk(*files_, "file");
  ASSERT_EQ(Error(files_->Open({}, node, HandleId{1}, {.read = true, .write = true}, 0)), "OK");
  ASSERT_EQ(Error(files_->Unlink({}, NodeId::kRoot, "file")), "OK");
  EmptyTheCache();
  EXPECT_EQ(files_->GetAttr({}, {.node = node})->attributes.nlink, 0u);
  EXPECT_EQ(Error(files_->SetAttr({}, {.node = node}, {.permissions = 0600})), "OK");
  EXPECT_EQ(Error(files_->SetAttr({}, {.node = node}, {.size = 2})), "OK");
  EXPECT_EQ(Error(files_->SetXattr({}, node, "trusted.x", "v", XattrMode::kAny)), "OK");
  EXPECT_EQ(files_->GetXattr({}, node, "trusted.x").value(), "v");
  EXPECT_EQ(Error(files_->Open({}, node, HandleId{2}, {.read = true}, 0)), "OK");
  EXPECT_EQ(std::string(files_->Read({}, HandleId{2}, 0, 10).value()), "da");
  const HandleId handles[] = {HandleId{1}, HandleId{2}};
  files_->Release(handles);
  EXPECT_EQ(Stat(node), "ESTALE");
}

TEST_F(NodeIdentity, ADirectoryThatWeRemovedAnswersUntilItIsForgotten) {
  ASSERT_EQ(mkdir(Path("dir").c_str(), 0755), 0);
  const NodeId dir = Walk(*files_, "dir");
  ASSERT_EQ(Error(files_->Rmdir({}, NodeId::kRoot, "dir")), "OK");
  EXPECT_EQ(Stat(dir), "OK");
  EXPECT_EQ(Error(files_->Mkdir({}, {.parent = dir, .name = "x", .permissions = 0755})), "ENOENT");
  const ForgottenNode forgotten[] = {{dir, 1}};
  files_->Forget(forgotten);
  EXPECT_EQ(Stat(dir), "ESTALE");
}

TEST_F(NodeIdentity, TheSameFileUnderTwoMountsIsTwoNodes) {
  ASSERT_EQ(mkdir(Path("data").c_str(), 0755), 0);
  WriteNative("data/file", "x");
  Mount("", Path("data"), Path("readonly"), MS_BIND);
  ASSERT_EQ(mount(nullptr, Path("readonly").c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const NodeId writable = Walk(*files_, "data/file");
  const NodeId readonly = Walk(*files_, "readonly/file");
  ASSERT_NE(readonly, NodeId::kInvalid);
  EXPECT_NE(writable, readonly);
  EmptyTheCache();
  EXPECT_EQ(Error(files_->SetAttr({}, {.node = readonly}, {.permissions = 0600})), "EROFS");
  EXPECT_EQ(Error(files_->SetAttr({}, {.node = writable}, {.permissions = 0600})), "OK");
}

TEST_F(NodeIdentity, ATreeDeeperThanAnyPathIsWalked) {
  NodeId at = NodeId::kRoot;
  constexpr int kDepth = 3000;
  for (int depth = 0; depth < kDepth; ++depth) {
    auto made = files_->Mkdir({}, {.parent = at, .name = "deep", .permissions = 0755});
    ASSERT_EQ(Error(made), "OK") << depth;
    at = made->node;
  }
  EmptyTheCache();
  EXPECT_EQ(Stat(at), "OK");
}

}  // namespace
}  // namespace mirrorfs
