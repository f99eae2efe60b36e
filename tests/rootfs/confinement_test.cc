// Nothing leads out of the root, and nothing but regular files and directories is ever opened.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

class Confinement : public RootfsFixture {
 protected:
  void SetUp() override {
    RootfsFixture::SetUp();
    if (IsSkipped()) return;
    files_ = Serve();
  }
  void TearDown() override {
    files_.reset();
    RootfsFixture::TearDown();
  }
  std::unique_ptr<RootedFilesystem> files_;
};

TEST_F(Confinement, NamesAreOneComponent) {
  for (const std::string& name : {std::string(""), std::string("."), std::string(".."), std::string("a/b"),
                                  std::string("/etc"), std::string("a\0b", 3), std::string("../x")}) {
    EXPECT_EQ(Error(files_->Lookup({}, NodeId::kRoot, name)), "EINVAL") << name;
    EXPECT_EQ(Error(files_->Mkdir({}, {.parent = NodeId::kRoot, .name = name})), "EINVAL") << name;
    EXPECT_EQ(Error(files_->Rename({}, NodeId::kRoot, "x", NodeId::kRoot, name, {})), "EINVAL") << name;
  }
  EXPECT_EQ(Error(files_->Lookup({}, NodeId::kRoot, std::string(256, 'x'))), "ENAMETOOLONG");
  EXPECT_EQ(Error(files_->Lookup({}, NodeId::kRoot, std::string(255, 'x'))), "ENOENT");
}

TEST_F(Confinement, LinksAreNotFollowed) {
  ASSERT_EQ(symlink("/etc", Path("absolute").c_str()), 0);
  ASSERT_EQ(symlink("..", Path("up").c_str()), 0);
  ASSERT_EQ(symlink("loop", Path("loop").c_str()), 0);
  for (const char* name : {"absolute", "up", "loop"}) {
    const auto link = files_->Lookup({}, NodeId::kRoot, name);
    ASSERT_EQ(Error(link), "OK");
    EXPECT_EQ(link->attributes.type, FileType::kSymlink);
    EXPECT_EQ(files_->Readlink({}, link->node).value(), link->link_target);
    EXPECT_EQ(Error(files_->Lookup({}, link->node, "passwd")), "ENOTDIR");
    EXPECT_EQ(Error(files_->ReadDir({}, link->node, DirCursor::kStart, 4096, true)), "ENOTDIR");
    EXPECT_EQ(Error(files_->Open({}, link->node, HandleId{1}, {.read = true}, 0)), "ENXIO");
    EXPECT_EQ(Error(files_->SetAttr({}, {.node = link->node}, {.size = 0})), "EINVAL");
    FileSystem::NewNode where = {.parent = NodeId::kRoot, .name = name, .permissions = 0644};
    EXPECT_EQ(Error(files_->Create({}, where, false, HandleId{1}, {.write = true})), "ELOOP");
    EXPECT_EQ(Error(files_->Create({}, where, true, HandleId{1}, {.write = true})), "EEXIST");
  }
}

TEST_F(Confinement, AttributesOfALinkAreItsOwn) {
  WriteNative("target", "data");
  ASSERT_EQ(symlink("target", Path("link").c_str()), 0);
  const NodeId link = Walk(*files_, "link");
  EXPECT_EQ(Error(files_->SetAttr({}, {.node = link}, {.uid = 7, .mtime = TimeValue{false, 1'000'000'005}})), "OK");
  EXPECT_EQ(Error(files_->SetXattr({}, link, "trusted.of", "link", XattrMode::kAny)), "OK");
  EXPECT_EQ(Error(files_->SetXattr({}, link, "user.of", "link", XattrMode::kAny)), "EPERM");
  EXPECT_EQ(Error(files_->SetAttr({}, {.node = link}, {.permissions = 0600})), "EOPNOTSUPP");
  EXPECT_EQ(StatNative("link").st_uid, 7u);
  EXPECT_EQ(StatNative("link").st_mtim.tv_nsec, 5);
  EXPECT_EQ(StatNative("target").st_uid, 0u);
  EXPECT_EQ(files_->GetXattr({}, link, "trusted.of").value(), "link");
  EXPECT_EQ(Error(files_->GetXattr({}, Walk(*files_, "target"), "trusted.of")), "ENODATA");
  EXPECT_EQ(Error(files_->Link({}, link, NodeId::kRoot, "second")), "OK");
  EXPECT_TRUE(S_ISLNK(StatNative("second").st_mode));
}

// An open of any of these by the agent would block for ever, or do what nobody asked for.
TEST_F(Confinement, SpecialFilesAreNeverOpened) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0666), 0);
  ASSERT_EQ(mknod(Path("tty").c_str(), S_IFCHR | 0666, makedev(5, 0)), 0);
  ASSERT_EQ(mknod(Path("disk").c_str(), S_IFBLK | 0666, makedev(7, 255)), 0);
  ASSERT_EQ(mknod(Path("socket").c_str(), S_IFSOCK | 0666, 0), 0);
  for (const char* name : {"fifo", "tty", "disk", "socket"}) {
    const NodeId node = Walk(*files_, name);
    ASSERT_NE(node, NodeId::kInvalid) << name;
    EXPECT_EQ(Error(files_->Open({}, node, HandleId{1}, {.read = true}, 0)), "ENXIO") << name;
    EXPECT_EQ(Error(files_->Open({}, node, HandleId{1}, {.write = true, .truncate = true}, 0)), "ENXIO") << name;
    EXPECT_EQ(Error(files_->SetAttr({}, {.node = node}, {.size = 0})), "EINVAL") << name;
    FileSystem::NewNode where = {.parent = NodeId::kRoot, .name = name, .permissions = 0644};
    EXPECT_EQ(Error(files_->Create({}, where, false, HandleId{1}, {.read = true, .write = true})), "ENXIO") << name;
    EXPECT_EQ(Error(files_->SetAttr({}, {.node = node}, {.permissions = 0600, .mtime = TimeValue{true, 0}})), "OK");
  }
}

TEST_F(Confinement, DevicesAreMadeOnlyWhereTheSessionAllows) {
  FileSystem::NewNode where = {.parent = NodeId::kRoot, .name = "null", .permissions = 0666};
  EXPECT_EQ(Error(files_->Mknod({}, where, FileType::kCharacterDevice, 1, 3)), "EPERM");
  EXPECT_EQ(Error(files_->Mknod({}, where, FileType::kDirectory, 0, 0)), "EPERM");
  RootedFilesystemOptions options = Options();
  options.devices = true;
  auto with_devices = Serve(std::move(options));
  const auto made = with_devices->Mknod({}, where, FileType::kCharacterDevice, 1, 3);
  ASSERT_EQ(Error(made), "OK");
  EXPECT_EQ(made->attributes.rdev_major, 1u);
  EXPECT_EQ(StatNative("null").st_rdev, makedev(1, 3));
}

// A directory and a link to outside change places all the time: what is looked up beneath the one must never be found
// beneath the other.
TEST_F(Confinement, SwappingADirectoryAndALinkNeverEscapes) {
  const std::string outside = base_ + "/outside";
  ASSERT_EQ(mkdir(outside.c_str(), 0755), 0);
  tree_.swap(const_cast<std::string&>(outside));
  WriteNative("secret", "outside");
  tree_.swap(const_cast<std::string&>(outside));
  ASSERT_EQ(mkdir(Path("dir").c_str(), 0755), 0);
  WriteNative("dir/secret", "inside!");
  ASSERT_EQ(symlink("../outside", Path("link").c_str()), 0);
  std::atomic<bool> stop = false;
  std::thread swapper([&] {
    while (!stop) renameat2(AT_FDCWD, Path("dir").c_str(), AT_FDCWD, Path("link").c_str(), RENAME_EXCHANGE);
  });
  int found = 0;
  for (int attempt = 0; attempt < 5000; ++attempt) {
    const auto dir = files_->Lookup({}, NodeId::kRoot, "dir");
    if (!dir.ok()) continue;
    const auto file = files_->Lookup({}, dir->node, "secret");
    if (file.ok() && files_->Open({}, file->node, HandleId{1}, {.read = true}, 0).ok()) {
      ++found;
      EXPECT_EQ(std::string(files_->Read({}, HandleId{1}, 0, 100).value()), "inside!");
      const HandleId handles[] = {HandleId{1}};
      files_->Release(handles);
      const ForgottenNode forgotten[] = {{file->node, 1}};
      files_->Forget(forgotten);
    }
    const ForgottenNode forgotten[] = {{dir->node, 1}};
    files_->Forget(forgotten);
  }
  stop = true;
  swapper.join();
  EXPECT_GT(found, 0);
}

TEST_F(Confinement, BadIdsAreErrorsOnly) {
  const NodeId node = NodeId{123456};
  const HandleId handle = HandleId{99};
  EXPECT_EQ(Error(files_->Lookup({}, node, "x")), "ESTALE");
  EXPECT_EQ(Error(files_->GetAttr({}, {.node = node})), "ESTALE");
  EXPECT_EQ(Error(files_->GetAttr({}, {.node = NodeId::kRoot, .handle = handle})), "EBADF");
  EXPECT_EQ(Error(files_->Read({}, handle, 0, 1)), "EBADF");
  EXPECT_EQ(Error(files_->Seek({}, handle, 0, SeekWhence::kData)), "EBADF");
  EXPECT_EQ(Error(files_->GetLock({}, handle, LockOwner{1}, {LockType::kRead})), "EBADF");
  EXPECT_EQ(Error(files_->ReadDir({}, NodeId::kRoot, DirCursor{uint64_t{7} << 32 | 1}, 4096, false)), "ESTALE");
  EXPECT_EQ(Error(files_->Open({}, NodeId::kRoot, HandleId::kNone, {.read = true}, 0)), "EINVAL");
  files_->CloseDir(node, DirCursor{5});
  const ForgottenNode forgotten[] = {{node, 1}, {NodeId::kRoot, 1 << 30}, {NodeId::kInvalid, 1}};
  files_->Forget(forgotten);
  const HandleId handles[] = {handle, HandleId::kNone};
  files_->Release(handles);
  EXPECT_EQ(Error(files_->GetAttr({}, {.node = NodeId::kRoot})), "OK");
}

TEST_F(Confinement, OffsetsBeyondAnyFileAreErrors) {
  WriteNative("file", "data");
  const NodeId node = Walk(*files_, "file");
  ASSERT_EQ(Error(files_->Open({}, node, HandleId{1}, {.read = true, .write = true}, 0)), "OK");
  EXPECT_EQ(Error(files_->Read({}, HandleId{1}, UINT64_MAX, 10)), "EINVAL");
  EXPECT_EQ(Error(files_->Read({}, HandleId{1}, 0, UINT32_MAX)), "EINVAL");
  EXPECT_EQ(Error(files_->Write({}, HandleId{1}, UINT64_MAX - 2, absl::Cord("data"))), "EFBIG");
  EXPECT_EQ(Error(files_->SetAttr({}, {.node = node}, {.size = UINT64_MAX})), "EINVAL");
  EXPECT_EQ(Error(files_->Fallocate({}, HandleId{1}, FallocateMode::kAllocate, false, UINT64_MAX, 1)), "EINVAL");
  EXPECT_EQ(Error(files_->Seek({}, HandleId{1}, UINT64_MAX, SeekWhence::kHole)), "ENXIO");
  EXPECT_EQ(Error(files_->CopyFileRange({}, HandleId{1}, UINT64_MAX, HandleId{1}, 0, 1)), "EINVAL");
  const LockRange backwards = {LockType::kRead, 10, 5};
  EXPECT_EQ(Error(files_->SetLock({}, HandleId{1}, LockOwner{1}, LockKind::kRange, backwards, {})), "EINVAL");
}

}  // namespace
}  // namespace mirrorfs
