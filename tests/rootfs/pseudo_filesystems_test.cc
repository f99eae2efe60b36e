// The kernel's own file systems are not the container's files: shown as empty directories, never entered.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protos/rootfs/mount_facts.h"
#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

class PseudoFilesystems : public RootfsFixture {
 protected:
  void SetUp() override {
    RootfsFixture::SetUp();
    if (IsSkipped()) return;
    Mount("proc", "proc", Path("proc"));
    Mount("sysfs", "sysfs", Path("sys"));
    Mount("devpts", "devpts", Path("pts"), 0, "newinstance");
    Mount("mqueue", "mqueue", Path("mqueue"));
    files_ = Serve();
  }
  void TearDown() override {
    files_.reset();
    RootfsFixture::TearDown();
  }
  std::unique_ptr<RootedFilesystem> files_;
};

TEST_F(PseudoFilesystems, AreEmptyDirectories) {
  for (const char* name : {"proc", "sys", "pts", "mqueue"}) {
    SCOPED_TRACE(name);
    const auto entry = files_->Lookup({}, NodeId::kRoot, name);
    ASSERT_EQ(Error(entry), "OK");
    EXPECT_EQ(entry->attributes.type, FileType::kDirectory);
    EXPECT_EQ(entry->attributes.nlink, 2u);
    const auto page = files_->ReadDir({}, entry->node, DirCursor::kStart, 4096, true);
    ASSERT_EQ(Error(page), "OK");
    EXPECT_TRUE(page->entries.empty());
    EXPECT_EQ(page->next, DirCursor::kEnd);
    EXPECT_EQ(files_->GetAttr({}, {.node = entry->node})->attributes, entry->attributes);
    EXPECT_TRUE(files_->ListXattr({}, entry->node)->empty());
    EXPECT_EQ(Error(files_->GetXattr({}, entry->node, "user.x")), "ENODATA");
    EXPECT_EQ(Error(files_->StatFs({}, entry->node)), "OK");
    EXPECT_EQ(Error(files_->Access({}, entry->node, {.read = true, .execute = true})), "OK");
    EXPECT_EQ(Error(files_->Fsyncdir({}, entry->node, false)), "OK");
  }
}

TEST_F(PseudoFilesystems, NothingInThemIsReached) {
  const NodeId proc = Walk(*files_, "proc");
  for (const char* name : {"1", "self", "sys", "kcore"}) {
    EXPECT_EQ(Error(files_->Lookup({}, proc, name)), "ENOENT") << name;
  }
  const FileSystem::NewNode where = {.parent = proc, .name = "x", .permissions = 0644};
  EXPECT_EQ(Error(files_->Create({}, where, false, HandleId{1}, {.write = true})), "EACCES");
  EXPECT_EQ(Error(files_->Mkdir({}, where)), "EACCES");
  EXPECT_EQ(Error(files_->Unlink({}, proc, "x")), "EACCES");
  EXPECT_EQ(Error(files_->SetAttr({}, {.node = proc}, {.permissions = 0700})), "EACCES");
  EXPECT_EQ(Error(files_->Access({}, proc, {.write = true})), "EACCES");
  EXPECT_EQ(Error(files_->Open({}, proc, HandleId{1}, {.read = true}, 0)), "EACCES");
}

TEST_F(PseudoFilesystems, AFileOfTheirsMountedElsewhereIsNotOpened) {
  WriteNative("version", "the container's");
  ASSERT_EQ(mount(Path("proc/version").c_str(), Path("version").c_str(), nullptr, MS_BIND, nullptr), 0);
  const auto entry = files_->Lookup({}, NodeId::kRoot, "version");
  ASSERT_EQ(Error(entry), "OK");
  EXPECT_EQ(Error(files_->Open({}, entry->node, HandleId{1}, {.read = true}, 0)), "EACCES");
  const FileSystem::NewNode where = {.parent = NodeId::kRoot, .name = "version", .permissions = 0644};
  EXPECT_EQ(Error(files_->Create({}, where, false, HandleId{1}, {.read = true, .write = true})), "EACCES");
}

TEST_F(PseudoFilesystems, MountedLaterTheyAreRefusedToo) {
  mkdir(Path("later").c_str(), 0755);
  WriteNative("later/below", "x");
  const NodeId later = Walk(*files_, "later");
  ASSERT_EQ(mount("proc", Path("later").c_str(), "proc", 0, nullptr), 0);
  const auto entry = files_->Lookup({}, NodeId::kRoot, "later");
  ASSERT_EQ(Error(entry), "OK");
  EXPECT_NE(entry->node, later);
  EXPECT_EQ(Error(files_->Lookup({}, entry->node, "1")), "ENOENT");
}

TEST_F(PseudoFilesystems, CannotBeTheRoot) {
  tree_ = Path("proc");
  EXPECT_EQ(Error(RootedFilesystem::Create(Options())), "EACCES");
}

TEST(PseudoFilesystemMagic, RealOnesAreNotAmongThem) {
  for (const uint64_t magic : {0x01021994ULL /* tmpfs */, 0xef53ULL /* ext4 */, 0x794c7630ULL /* overlay */,
                               0x58465342ULL /* xfs */, 0x9123683eULL /* btrfs */, 0x6969ULL /* nfs */}) {
    EXPECT_FALSE(IsPseudoFilesystem(magic));
  }
}

}  // namespace
}  // namespace mirrorfs
