// Link, Unlink, Rmdir; files without a name that are still open.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

class RemoveContract : public ContractTest {};

TEST_F(RemoveContract, LinkIsASecondNameOfTheNode) {
  WriteNative("file", "x");
  MakeDirectory("d");
  const NodeId file = Node("file");
  auto made = fs().Link(call_, file, Node("d"), "second");
  ASSERT_EQ(Error(made), "OK");
  EXPECT_EQ(made->node, file);
  EXPECT_EQ(made->attributes.nlink, 2u);
  EXPECT_EQ(StatNative("d/second").st_ino, StatNative("file").st_ino);
  EXPECT_EQ(Stat(file).nlink, 2u);
}

TEST_F(RemoveContract, LinkOfASymlinkIsALinkToItself) {
  WriteNative("file", "x");
  ASSERT_EQ(symlink("file", Path("link").c_str()), 0);
  ASSERT_EQ(Error(fs().Link(call_, Node("link"), root_, "second")), "OK");
  EXPECT_TRUE(S_ISLNK(StatNative("second").st_mode));
  EXPECT_EQ(StatNative("link").st_nlink, 2u);
}

TEST_F(RemoveContract, LinkErrors) {
  WriteNative("file", "x");
  MakeDirectory("d");
  const NodeId file = Node("file");
  EXPECT_EQ(Error(fs().Link(call_, file, root_, "file")), "EEXIST");
  EXPECT_EQ(Error(fs().Link(call_, file, root_, "d")), "EEXIST");
  EXPECT_EQ(Error(fs().Link(call_, Node("d"), root_, "e")), "EPERM");
  EXPECT_EQ(Error(fs().Link(call_, file, file, "e")), "ENOTDIR");
  EXPECT_EQ(Error(fs().Link(call_, file, root_, "")), "EINVAL");
  EXPECT_EQ(Error(fs().Link(call_, file, root_, "..")), "EINVAL");
  EXPECT_EQ(Error(fs().Link(call_, file, root_, std::string(256, 'n'))), "ENAMETOOLONG");
}

TEST_F(RemoveContract, OneNameGoesTheOtherStays) {
  WriteNative("one", "content");
  const NodeId node = Node("one");
  ASSERT_EQ(Error(fs().Link(call_, node, root_, "two")), "OK");
  ASSERT_EQ(Error(fs().Unlink(call_, root_, "one")), "OK");
  EXPECT_EQ(Error(fs().Lookup(call_, root_, "one")), "ENOENT");
  EXPECT_EQ(Node("two"), node);
  EXPECT_EQ(Stat(node).nlink, 1u);
  const HandleId handle = NextHandle();
  EXPECT_EQ(Error(fs().Open(call_, node, handle, kReadOnly, 0)), "OK");
  EXPECT_EQ(ReadFile(handle, 0, 100), "content");
}

TEST_F(RemoveContract, UnlinkRemovesAnyTypeButDirectories) {
  WriteNative("file", "");
  ASSERT_EQ(symlink("file", Path("link").c_str()), 0);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  MakeDirectory("d");
  EXPECT_EQ(Error(fs().Unlink(call_, root_, "link")), "OK");
  EXPECT_TRUE(Exists("file"));
  EXPECT_EQ(Error(fs().Unlink(call_, root_, "fifo")), "OK");
  EXPECT_EQ(Error(fs().Unlink(call_, root_, "file")), "OK");
  EXPECT_EQ(Error(fs().Unlink(call_, root_, "d")), "EISDIR");
  EXPECT_EQ(List(root_), std::vector<std::string>{"d"});
}

TEST_F(RemoveContract, UnlinkErrors) {
  WriteNative("file", "");
  EXPECT_EQ(Error(fs().Unlink(call_, root_, "absent")), "ENOENT");
  EXPECT_EQ(Error(fs().Unlink(call_, Node("file"), "x")), "ENOTDIR");
  EXPECT_EQ(Error(fs().Unlink(call_, root_, "")), "EINVAL");
  EXPECT_EQ(Error(fs().Unlink(call_, root_, ".")), "EINVAL");
  EXPECT_EQ(Error(fs().Unlink(call_, root_, "../x")), "EINVAL");
  EXPECT_EQ(Error(fs().Unlink(call_, root_, std::string(256, 'n'))), "ENAMETOOLONG");
}

TEST_F(RemoveContract, RmdirRemovesEmptyDirectories) {
  MakeDirectory("d");
  const NodeId node = Node("d");
  EXPECT_EQ(Error(fs().Rmdir(call_, root_, "d")), "OK");
  EXPECT_FALSE(Exists("d"));
  EXPECT_TRUE(FailsWithOneOf(fs().Lookup(call_, node, "x"), {ENOENT, ESTALE}));
}

TEST_F(RemoveContract, RmdirErrors) {
  MakeDirectory("full");
  WriteNative("full/file", "");
  WriteNative("file", "");
  ASSERT_EQ(symlink("full", Path("link").c_str()), 0);
  EXPECT_EQ(Error(fs().Rmdir(call_, root_, "full")), "ENOTEMPTY");
  EXPECT_EQ(Error(fs().Rmdir(call_, root_, "file")), "ENOTDIR");
  EXPECT_EQ(Error(fs().Rmdir(call_, root_, "link")), "ENOTDIR");
  EXPECT_EQ(Error(fs().Rmdir(call_, root_, "absent")), "ENOENT");
  EXPECT_EQ(Error(fs().Rmdir(call_, root_, "..")), "EINVAL");
  EXPECT_EQ(Error(fs().Rmdir(call_, root_, ".")), "EINVAL");
  EXPECT_EQ(Error(fs().Rmdir(call_, Node("file"), "x")), "ENOTDIR");
}

TEST_F(RemoveContract, UnlinkedFileLivesOnInItsHandle) {
  WriteNative("file", "before");
  const HandleId handle = OpenFile("file", kReadWrite);
  ASSERT_EQ(Error(fs().Unlink(call_, root_, "file")), "OK");
  EXPECT_EQ(Stat(handle).nlink, 0u);
  EXPECT_EQ(ReadFile(handle, 0, 100), "before");
  WriteFile(handle, 6, " and after");
  EXPECT_EQ(ReadFile(handle, 0, 100), "before and after");
  EXPECT_EQ(Stat(handle).size, 16u);
  EXPECT_EQ(Error(fs().Fsync(call_, handle, false)), "OK");
  EXPECT_EQ(Error(fs().Fallocate(call_, handle, FallocateMode::kAllocate, false, 0, 8192)), "OK");
  EXPECT_EQ(Stat(handle).size, 8192u);
}

TEST_F(RemoveContract, UnlinkedFileOfAForgottenNodeLivesOnInItsHandle) {
  WriteNative("file", "content");
  const NodeId node = Node("file");
  const HandleId handle = NextHandle();
  ASSERT_EQ(Error(fs().Open(call_, node, handle, kReadOnly, 0)), "OK");
  ASSERT_EQ(Error(fs().Unlink(call_, root_, "file")), "OK");
  Forget(node, 1);
  EXPECT_EQ(ReadFile(handle, 0, 100), "content");
}

TEST_F(RemoveContract, ReplacedFileIsNotMixedUpWithItsSuccessor) {
  WriteNative("file", "old");
  const HandleId old_handle = OpenFile("file", kReadWrite);
  ASSERT_EQ(Error(fs().Unlink(call_, root_, "file")), "OK");
  WriteNative("file", "successor");
  const HandleId handle = OpenFile("file", kReadWrite);
  WriteFile(old_handle, 0, "OLD");
  EXPECT_EQ(ReadFile(handle, 0, 100), "successor");
  EXPECT_EQ(ReadFile(old_handle, 0, 100), "OLD");
  EXPECT_EQ(ReadNative("file"), "successor");
}

TEST_F(RemoveContract, TwoHandlesOfAnUnlinkedFileShareIt) {
  WriteNative("file", "abc");
  const HandleId one = OpenFile("file", kReadWrite);
  const HandleId two = OpenFile("file", kReadOnly);
  ASSERT_EQ(Error(fs().Unlink(call_, root_, "file")), "OK");
  WriteFile(one, 3, "def");
  EXPECT_EQ(ReadFile(two, 0, 100), "abcdef");
  Release(one);
  EXPECT_EQ(ReadFile(two, 0, 100), "abcdef");
}

}  // namespace
}  // namespace mirrorfs
