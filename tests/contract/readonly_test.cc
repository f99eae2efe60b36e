// Read-only sessions: every mutation is EROFS, everything else works, and no file is as much as opened for writing.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

class ReadOnlyContract : public ContractTest {
 protected:
  void SetUp() override {
    WriteFiles();
    Remake({.read_write = false});
    file_ = Node("file");
    directory_ = Node("directory");
    handle_ = OpenFile("file", kReadOnly);
  }
  void WriteFiles() {
    WriteNative("file", "content");
    MakeDirectory("directory");
    ASSERT_EQ(setxattr(Path("file").c_str(), "user.a", "1", 1, 0), 0);
  }
  // On a handle that this machine's kernel knows to be read-only it answers before anyone is asked.
  void ExpectRefused(const absl::Status& status) {
    if (world().ThroughKernel()) {
      EXPECT_TRUE(FailsWithOneOf(status, {EROFS, EBADF, EINVAL}));
    } else {
      EXPECT_EQ(Error(status), "EROFS");
    }
  }
  NodeId file_ = NodeId::kInvalid;
  NodeId directory_ = NodeId::kInvalid;
  HandleId handle_ = HandleId::kNone;
};

TEST_F(ReadOnlyContract, TreeCannotBeChanged) {
  EXPECT_EQ(Error(fs().Mknod(call_, New(root_, "x"), FileType::kRegular, 0, 0)), "EROFS");
  EXPECT_EQ(Error(fs().Mkdir(call_, New(root_, "x"))), "EROFS");
  EXPECT_EQ(Error(fs().Symlink(call_, New(root_, "x"), "y")), "EROFS");
  EXPECT_EQ(Error(fs().Link(call_, file_, root_, "x")), "EROFS");
  EXPECT_EQ(Error(fs().Unlink(call_, root_, "file")), "EROFS");
  EXPECT_EQ(Error(fs().Rmdir(call_, root_, "directory")), "EROFS");
  EXPECT_EQ(Error(fs().Rename(call_, root_, "file", root_, "x", RenameMode::kReplace)), "EROFS");
  EXPECT_EQ(Error(fs().Rename(call_, root_, "file", root_, "directory", RenameMode::kExchange)), "EROFS");
  EXPECT_EQ(Error(fs().Create(call_, New(root_, "x"), true, NextHandle(), kReadWrite)), "EROFS");
  EXPECT_EQ(Error(fs().Create(call_, New(root_, "x"), false, NextHandle(), kReadOnly)), "EROFS");
  EXPECT_EQ(List(root_), (std::vector<std::string>{"directory", "file"}));
}

TEST_F(ReadOnlyContract, AttributesCannotBeChanged) {
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = file_}, {.permissions = 0600})), "EROFS");
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = file_}, {.uid = 1})), "EROFS");
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = file_}, {.size = 1})), "EROFS");
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = file_}, {.mtime = TimeValue{.now = true}})), "EROFS");
  EXPECT_EQ(Error(fs().SetXattr(call_, file_, "user.b", "2", XattrMode::kAny)), "EROFS");
  EXPECT_EQ(Error(fs().RemoveXattr(call_, file_, "user.a")), "EROFS");
  ExpectRefused(fs().SetAttr(call_, {.node = file_, .handle = handle_}, {.size = 1}).status());
  EXPECT_EQ(ReadNative("file"), "content");
  EXPECT_EQ(StatNative("file").st_mode & 0777u, 0644u);
}

TEST_F(ReadOnlyContract, NothingIsOpenedForWriting) {
  EXPECT_EQ(Error(fs().Open(call_, file_, NextHandle(), kWriteOnly, 0)), "EROFS");
  EXPECT_EQ(Error(fs().Open(call_, file_, NextHandle(), kReadWrite, 0)), "EROFS");
  EXPECT_EQ(Error(fs().Open(call_, file_, NextHandle(), {.write = true, .append = true}, 0)), "EROFS");
  EXPECT_EQ(Error(fs().Open(call_, file_, NextHandle(), {.read = true, .truncate = true}, 0)), "EROFS");
  EXPECT_EQ(ReadNative("file"), "content");
}

TEST_F(ReadOnlyContract, HandlesCannotChangeAnything) {
  ExpectRefused(fs().Write(call_, handle_, 0, absl::Cord("x")).status());
  ExpectRefused(fs().Fallocate(call_, handle_, FallocateMode::kAllocate, false, 0, 100));
  ExpectRefused(fs().CopyFileRange(call_, handle_, 0, handle_, 100, 5).status());
  EXPECT_EQ(ReadNative("file"), "content");
}

TEST_F(ReadOnlyContract, EverythingElseWorks) {
  EXPECT_EQ(ReadFile(handle_, 0, 100), "content");
  EXPECT_EQ(Stat(file_).size, 7u);
  EXPECT_EQ(Error(fs().GetXattr(call_, file_, "user.a")), "OK");
  EXPECT_EQ(Error(fs().ListXattr(call_, file_)), "OK");
  EXPECT_EQ(Error(fs().StatFs(call_, root_)), "OK");
  EXPECT_EQ(Error(fs().Seek(call_, handle_, 0, SeekWhence::kHole)), "OK");
  EXPECT_EQ(Error(fs().Fsync(call_, handle_, false)), "OK");
  EXPECT_EQ(Error(fs().Fsyncdir(call_, directory_, false)), "OK");
  EXPECT_EQ(Error(fs().Access(call_, file_, {.read = true})), "OK");
}

TEST_F(ReadOnlyContract, AccessForWritingIsErofs) {
  EXPECT_EQ(Error(fs().Access(call_, file_, {.write = true})), "EROFS");
  EXPECT_EQ(Error(fs().Access(call_, directory_, {.read = true, .write = true})), "EROFS");
}

TEST_F(ReadOnlyContract, LocksAreAllowed) {
  const LockRange read = {.type = LockType::kRead};
  EXPECT_EQ(Error(fs().SetLock(call_, handle_, LockOwner{1}, LockKind::kRange, read, absl::ZeroDuration())), "OK");
  EXPECT_EQ(Error(fs().GetLock(call_, handle_, LockOwner{2}, read)), "OK");
  const LockRange write = {.type = LockType::kWrite};
  EXPECT_EQ(Error(fs().SetLock(call_, handle_, LockOwner{1}, LockKind::kFlock, write, absl::ZeroDuration())), "OK");
}

}  // namespace
}  // namespace mirrorfs
