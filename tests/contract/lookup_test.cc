// Lookup, GetAttr, Readlink, StatFs; what ids mean.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

class LookupContract : public ContractTest {};

TEST_F(LookupContract, RootIsADirectoryOfItsOwnId) {
  const Entry root = world().Root();
  EXPECT_EQ(root.node, NodeId::kRoot);
  EXPECT_EQ(root.attributes.type, FileType::kDirectory);
  EXPECT_EQ(root.attributes.permissions, 0755u);
}

TEST_F(LookupContract, FileHasTheAttributesOfTheNativeOne) {
  WriteNative("file", "12345");
  chmod(Path("file").c_str(), 0640);
  ASSERT_EQ(chown(Path("file").c_str(), 12, 34), 0);
  const timespec times[2] = {{1'000'000'001, 123'456'789}, {1'500'000'002, 987'654'321}};
  utimensat(AT_FDCWD, Path("file").c_str(), times, 0);
  const struct stat native = StatNative("file");
  const Attributes found = Find("file").attributes;
  EXPECT_EQ(found.type, FileType::kRegular);
  EXPECT_EQ(found.permissions, 0640u);
  EXPECT_EQ(found.nlink, 1u);
  EXPECT_EQ(found.uid, 12u);
  EXPECT_EQ(found.gid, 34u);
  EXPECT_EQ(found.size, 5u);
  EXPECT_EQ(found.blocks, static_cast<uint64_t>(native.st_blocks));
  EXPECT_EQ(found.atime_ns, 1'000'000'001'123'456'789);
  EXPECT_EQ(found.mtime_ns, 1'500'000'002'987'654'321);
  EXPECT_EQ(found.ctime_ns, native.st_ctim.tv_sec * 1'000'000'000 + native.st_ctim.tv_nsec);
}

TEST_F(LookupContract, SpecialPermissionBitsAreShown) {
  WriteNative("suid", "");
  chmod(Path("suid").c_str(), 06755);
  MakeDirectory("sticky");
  chmod(Path("sticky").c_str(), 01777);
  EXPECT_EQ(Find("suid").attributes.permissions, 06755u);
  EXPECT_EQ(Find("sticky").attributes.permissions, 01777u);
}

TEST_F(LookupContract, EveryTypeIsTold) {
  MakeDirectory("directory");
  mkfifo(Path("fifo").c_str(), 0600);
  mknod(Path("socket").c_str(), S_IFSOCK | 0600, 0);
  mknod(Path("char").c_str(), S_IFCHR | 0600, makedev(1, 3));
  mknod(Path("block").c_str(), S_IFBLK | 0600, makedev(7, 9));
  EXPECT_EQ(Find("directory").attributes.type, FileType::kDirectory);
  EXPECT_EQ(Find("fifo").attributes.type, FileType::kFifo);
  EXPECT_EQ(Find("socket").attributes.type, FileType::kSocket);
  const Attributes character = Find("char").attributes;
  EXPECT_EQ(character.type, FileType::kCharacterDevice);
  EXPECT_EQ(character.rdev_major, 1u);
  EXPECT_EQ(character.rdev_minor, 3u);
  const Attributes block = Find("block").attributes;
  EXPECT_EQ(block.type, FileType::kBlockDevice);
  EXPECT_EQ(block.rdev_major, 7u);
  EXPECT_EQ(block.rdev_minor, 9u);
}

TEST_F(LookupContract, SymlinkComesWithItsTargetAndIsNotFollowed) {
  MakeDirectory("directory");
  ASSERT_EQ(symlink("directory", Path("link").c_str()), 0);
  const Entry link = Find("link");
  EXPECT_EQ(link.attributes.type, FileType::kSymlink);
  EXPECT_EQ(link.link_target, "directory");
  EXPECT_EQ(link.attributes.size, 9u);
  EXPECT_TRUE(FailsWithOneOf(fs().Lookup(call_, link.node, "x"), {ENOTDIR, ELOOP}));
}

TEST_F(LookupContract, AbsentIsNoent) { EXPECT_EQ(Error(fs().Lookup(call_, root_, "absent")), "ENOENT"); }

TEST_F(LookupContract, BelowAFileIsNotdir) {
  WriteNative("file", "");
  EXPECT_EQ(Error(fs().Lookup(call_, Node("file"), "x")), "ENOTDIR");
}

TEST_F(LookupContract, NamesThatAreNotOneComponentAreInvalid) {
  MakeDirectory("a");
  WriteNative("a/b", "");
  using std::string_view_literals::operator""sv;
  for (std::string_view name : {""sv, "."sv, ".."sv, "/"sv, "a/b"sv, "a/"sv, "/a"sv, "a\0"sv, "\0"sv}) {
    EXPECT_EQ(Error(fs().Lookup(call_, root_, name)), "EINVAL") << name;
  }
}

TEST_F(LookupContract, LongestNameIs255Bytes) {
  WriteNative(std::string(255, 'n'), "x");
  EXPECT_EQ(Find(std::string(255, 'n')).attributes.size, 1u);
  EXPECT_EQ(Error(fs().Lookup(call_, root_, std::string(256, 'n'))), "ENAMETOOLONG");
  EXPECT_EQ(Error(fs().Lookup(call_, root_, std::string(5000, 'n'))), "ENAMETOOLONG");
}

TEST_F(LookupContract, NamesAreBytes) {
  for (const char* name : {"\xff\xfe", "\xc3\x28", "new\nline", " ", "...", "-", "*", "\x01", "\xf0\x9f\x98\x80"}) {
    WriteNative(name, name);
    EXPECT_EQ(Find(name).attributes.size, strlen(name)) << name;
  }
}

TEST_F(LookupContract, SameFileIsSameNode) {
  WriteNative("file", "");
  EXPECT_EQ(Node("file"), Node("file"));
}

TEST_F(LookupContract, HardLinksAreOneNode) {
  WriteNative("first", "");
  MakeDirectory("d");
  ASSERT_EQ(link(Path("first").c_str(), Path("d/second").c_str()), 0);
  const Entry first = Find("first");
  EXPECT_EQ(first.node, Node("d/second"));
  EXPECT_EQ(first.attributes.nlink, 2u);
}

TEST_F(LookupContract, FilesThatFollowEachOtherUnderANameAreDifferentNodes) {
  for (int round = 0; round < 20; ++round) {
    WriteNative("file", "old");
    const NodeId old_node = Node("file");
    ASSERT_EQ(unlink(Path("file").c_str()), 0);
    WriteNative("file", "new!");
    const Entry now = Find("file");
    EXPECT_NE(now.node, old_node);
    EXPECT_EQ(now.attributes.size, 4u);
  }
}

TEST_F(LookupContract, NodeFollowsARenameOfItsDirectory) {
  MakeDirectory("before");
  WriteNative("before/file", "content");
  const NodeId file = Node("before/file");
  const NodeId directory = Node("before");
  ASSERT_EQ(Error(fs().Rename(call_, root_, "before", root_, "after", RenameMode::kReplace)), "OK");
  EXPECT_EQ(Stat(file).size, 7u);
  EXPECT_EQ(Error(fs().Lookup(call_, directory, "file")), "OK");
  EXPECT_EQ(Node("after"), directory);
  EXPECT_EQ(Node("after/file"), file);
}

TEST_F(LookupContract, GetAttrSeesWhatChanged) {
  WriteNative("file", "1");
  const NodeId node = Node("file");
  EXPECT_EQ(Stat(node).size, 1u);
  WriteNative("file", "12345678");
  EXPECT_EQ(Stat(node).size, 8u);
}

TEST_F(LookupContract, GetAttrOfALinkLeavesItsAccessTimeAlone) {
  ASSERT_EQ(symlink("to", Path("link").c_str()), 0);
  const NodeId node = Node("link");
  const FileTime long_ago = 1'000'000'000;
  ASSERT_EQ(Error(fs().SetAttr(call_, {.node = node}, {.atime = TimeValue{false, long_ago}})), "OK");
  auto reply = fs().GetAttr(call_, {.node = node});
  ASSERT_EQ(Error(reply), "OK");
  EXPECT_EQ(reply->attributes.size, 2u);
  EXPECT_EQ(reply->attributes.atime_ns, long_ago);
  EXPECT_EQ(Stat(node).atime_ns, long_ago);
}

TEST_F(LookupContract, ReadlinkGivesTheTargetAsItIs) {
  const std::string longest(4095, 't');
  for (const std::string& target : {std::string("/absolute/../x"), std::string("\xff\n"), longest}) {
    unlink(Path("link").c_str());
    ASSERT_EQ(symlink(target.c_str(), Path("link").c_str()), 0);
    auto read = fs().Readlink(call_, Node("link"));
    ASSERT_EQ(Error(read), "OK");
    EXPECT_EQ(*read, target);
  }
}

TEST_F(LookupContract, ReadlinkOfOthersIsInvalid) {
  WriteNative("file", "");
  EXPECT_EQ(Error(fs().Readlink(call_, Node("file"))), "EINVAL");
  EXPECT_EQ(Error(fs().Readlink(call_, root_)), "EINVAL");
}

TEST_F(LookupContract, StatFsIsTheFileSystemsOwn) {
  auto reply = fs().StatFs(call_, root_);
  ASSERT_EQ(Error(reply), "OK");
  struct statvfs native = {};
  ASSERT_EQ(statvfs(Path().c_str(), &native), 0);
  EXPECT_EQ(reply->block_size, native.f_bsize);
  EXPECT_EQ(reply->fragment_size, native.f_frsize);
  EXPECT_EQ(reply->blocks, native.f_blocks);
  EXPECT_EQ(reply->files, native.f_files);
  EXPECT_EQ(reply->name_max, native.f_namemax);
}

TEST_F(LookupContract, UnknownNodesAreStale) {
  for (const NodeId node : {NodeId::kInvalid, NodeId{999'999}, NodeId{kClientNodeBit | 5}, NodeId{~uint64_t{0}}}) {
    EXPECT_EQ(Error(fs().GetAttr(call_, {.node = node})), "ESTALE");
    EXPECT_EQ(Error(fs().Lookup(call_, node, "x")), "ESTALE");
    EXPECT_EQ(Error(fs().Readlink(call_, node)), "ESTALE");
    EXPECT_EQ(Error(fs().Access(call_, node, {})), "ESTALE");
    EXPECT_EQ(Error(fs().ReadDir(call_, node, DirCursor::kStart, 4096, false)), "ESTALE");
    EXPECT_EQ(Error(fs().StatFs(call_, node)), "ESTALE");
    EXPECT_EQ(Error(fs().SetAttr(call_, {.node = node}, {.permissions = 0600})), "ESTALE");
    EXPECT_EQ(Error(fs().Open(call_, node, NextHandle(), kReadOnly, 0)), "ESTALE");
    EXPECT_EQ(Error(fs().GetXattr(call_, node, "user.x")), "ESTALE");
    EXPECT_EQ(Error(fs().ListXattr(call_, node)), "ESTALE");
    EXPECT_EQ(Error(fs().Fsyncdir(call_, node, false)), "ESTALE");
    EXPECT_EQ(Error(fs().Mkdir(call_, New(node, "d"))), "ESTALE");
    EXPECT_EQ(Error(fs().Link(call_, node, root_, "l")), "ESTALE");
    EXPECT_EQ(Error(fs().Link(call_, root_, node, "l")), "ESTALE");
    EXPECT_EQ(Error(fs().Rename(call_, root_, "a", node, "b", RenameMode::kReplace)), "ESTALE");
    EXPECT_EQ(Error(fs().Unlink(call_, node, "x")), "ESTALE");
    EXPECT_EQ(Error(fs().Rmdir(call_, node, "x")), "ESTALE");
  }
}

TEST_F(LookupContract, ForgottenNodeIsStale) {
  WriteNative("file", "");
  const NodeId node = Node("file");
  Forget(node);
  EXPECT_EQ(EventuallyStale(node), "ESTALE");
  EXPECT_EQ(Error(fs().Open(call_, node, NextHandle(), kReadOnly, 0)), "ESTALE");
  EXPECT_NE(Node("file"), node) << "ids are never used again";
}

TEST_F(LookupContract, EachAnswerIsAReference) {
  WriteNative("file", "");
  const NodeId node = Node("file");
  ASSERT_EQ(Node("file"), node);
  ASSERT_EQ(Node("file"), node);
  Forget(node, 2);
  EXPECT_EQ(Error(fs().GetAttr(call_, {.node = node})), "OK");
  Forget(node, 1);
  EXPECT_EQ(EventuallyStale(node), "ESTALE");
}

TEST_F(LookupContract, ForgettingTooMuchOrTheUnknownIsHarmless) {
  WriteNative("file", "");
  const NodeId node = Node("file");
  Forget(node, 1000);
  Forget(node, 1);
  Forget(NodeId{12345}, 7);
  Forget(NodeId::kInvalid, 1);
  Forget(NodeId::kRoot, 1);
  EXPECT_EQ(Stat(NodeId::kRoot).type, FileType::kDirectory);
  EXPECT_EQ(Find("file").attributes.type, FileType::kRegular);
}

TEST_F(LookupContract, ForgottenParentLeavesChildrenUsable) {
  MakeDirectory("d");
  WriteNative("d/file", "abc");
  const NodeId directory = Node("d");
  auto file = fs().Lookup(call_, directory, "file");
  ASSERT_EQ(Error(file), "OK");
  Forget(directory, 1);
  EXPECT_EQ(Stat(file->node).size, 3u);
  const HandleId handle = NextHandle();
  EXPECT_EQ(Error(fs().Open(call_, file->node, handle, kReadOnly, 0)), "OK");
  EXPECT_EQ(ReadFile(handle, 0, 10), "abc");
}

}  // namespace
}  // namespace mirrorfs
