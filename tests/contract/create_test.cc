// Mknod, Mkdir, Symlink, Create: what is made, with which permissions, under which id.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

// A default ACL of user rwx, group r-x, mask r-x, other none, and user 77 rwx: the kernel's own format.
constexpr char kDefaultAcl[] =
    "\x02\x00\x00\x00"
    "\x01\x00\x07\x00\xff\xff\xff\xff"
    "\x02\x00\x07\x00\x4d\x00\x00\x00"
    "\x04\x00\x05\x00\xff\xff\xff\xff"
    "\x10\x00\x05\x00\xff\xff\xff\xff"
    "\x20\x00\x00\x00\xff\xff\xff\xff";

class CreateContract : public ContractTest {
 protected:
  CreateResult Create(const FileSystem::NewNode& where, bool exclusive, HandleId handle,
                      const OpenFlags& flags = kReadWrite) {
    auto result = fs().Create(call_, where, exclusive, handle, flags);
    EXPECT_EQ(Error(result), "OK");
    return result.ok() ? *std::move(result) : CreateResult();
  }
  std::string CreateError(std::string_view name, bool exclusive, const OpenFlags& flags = kReadWrite) {
    return Error(fs().Create(call_, New(root_, name), exclusive, NextHandle(), flags));
  }
};

TEST_F(CreateContract, MknodMakesARegularFile) {
  auto made = fs().Mknod(call_, New(root_, "file", 0640), FileType::kRegular, 0, 0);
  ASSERT_EQ(Error(made), "OK");
  EXPECT_EQ(made->attributes.type, FileType::kRegular);
  EXPECT_EQ(made->attributes.permissions, 0640u);
  EXPECT_EQ(made->node, Node("file"));
  EXPECT_EQ(StatNative("file").st_size, 0);
}

TEST_F(CreateContract, MknodMakesFifosAndSockets) {
  ASSERT_EQ(Error(fs().Mknod(call_, New(root_, "fifo", 0600), FileType::kFifo, 0, 0)), "OK");
  ASSERT_EQ(Error(fs().Mknod(call_, New(root_, "socket", 0600), FileType::kSocket, 0, 0)), "OK");
  EXPECT_TRUE(S_ISFIFO(StatNative("fifo").st_mode));
  EXPECT_TRUE(S_ISSOCK(StatNative("socket").st_mode));
}

TEST_F(CreateContract, DevicesAreRefused) {
  EXPECT_EQ(Error(fs().Mknod(call_, New(root_, "c", 0600), FileType::kCharacterDevice, 1, 3)), "EPERM");
  EXPECT_EQ(Error(fs().Mknod(call_, New(root_, "b", 0600), FileType::kBlockDevice, 7, 0)), "EPERM");
  EXPECT_FALSE(Exists("c"));
  EXPECT_FALSE(Exists("b"));
}

TEST_F(CreateContract, DevicesAreMadeWhereTheSessionAllowsThem) {
  Remake({.devices = true});
  auto made = fs().Mknod(call_, New(root_, "null", 0600), FileType::kCharacterDevice, 1, 3);
  ASSERT_EQ(Error(made), "OK");
  EXPECT_EQ(made->attributes.rdev_major, 1u);
  EXPECT_EQ(made->attributes.rdev_minor, 3u);
  EXPECT_EQ(StatNative("null").st_rdev, makedev(1, 3));
}

TEST_F(CreateContract, MknodOfDirectoriesAndLinksIsAnError) {
  EXPECT_TRUE(FailsWithOneOf(fs().Mknod(call_, New(root_, "d"), FileType::kDirectory, 0, 0), {EPERM, EINVAL}));
  EXPECT_TRUE(FailsWithOneOf(fs().Mknod(call_, New(root_, "l"), FileType::kSymlink, 0, 0), {EPERM, EINVAL}));
}

TEST_F(CreateContract, MkdirMakesADirectory) {
  auto made = fs().Mkdir(call_, New(root_, "d", 0750));
  ASSERT_EQ(Error(made), "OK");
  EXPECT_EQ(made->attributes.type, FileType::kDirectory);
  EXPECT_EQ(made->attributes.permissions, 0750u);
  EXPECT_EQ(made->attributes.nlink, StatNative("d").st_nlink);
  EXPECT_EQ(Error(fs().Mkdir(call_, New(made->node, "below"))), "OK");
  EXPECT_TRUE(Exists("d/below"));
}

TEST_F(CreateContract, SymlinkKeepsTheTargetsBytes) {
  const std::string longest(4095, 'x');
  for (const std::string& target : {std::string("a"), std::string("/../\xff"), longest}) {
    unlink(Path("link").c_str());
    auto made = fs().Symlink(call_, New(root_, "link"), target);
    ASSERT_EQ(Error(made), "OK");
    EXPECT_EQ(made->link_target, target);
    EXPECT_EQ(made->attributes.size, target.size());
    EXPECT_EQ(std::filesystem::read_symlink(Path("link")).string(), target);
  }
}

TEST_F(CreateContract, SymlinkTargetsThatCannotBe) {
  EXPECT_EQ(Error(fs().Symlink(call_, New(root_, "link"), "")), "ENOENT");
  EXPECT_EQ(Error(fs().Symlink(call_, New(root_, "link"), std::string(4096, 'x'))), "ENAMETOOLONG");
  EXPECT_FALSE(Exists("link"));
}

TEST_F(CreateContract, NamesThatAreThereAreEexist) {
  WriteNative("file", "");
  MakeDirectory("d");
  ASSERT_EQ(symlink("nowhere", Path("dangling").c_str()), 0);
  for (const char* name : {"file", "d", "dangling"}) {
    EXPECT_EQ(Error(fs().Mknod(call_, New(root_, name), FileType::kRegular, 0, 0)), "EEXIST") << name;
    EXPECT_EQ(Error(fs().Mkdir(call_, New(root_, name))), "EEXIST") << name;
    EXPECT_EQ(Error(fs().Symlink(call_, New(root_, name), "x")), "EEXIST") << name;
    EXPECT_EQ(CreateError(name, /*exclusive=*/true), "EEXIST") << name;
  }
  EXPECT_FALSE(Exists("nowhere"));
}

TEST_F(CreateContract, BadNamesAreInvalid) {
  using std::string_view_literals::operator""sv;
  for (std::string_view name : {""sv, "."sv, ".."sv, "a/b"sv, "a\0b"sv}) {
    EXPECT_EQ(Error(fs().Mknod(call_, New(root_, name), FileType::kRegular, 0, 0)), "EINVAL");
    EXPECT_EQ(Error(fs().Mkdir(call_, New(root_, name))), "EINVAL");
    EXPECT_EQ(Error(fs().Symlink(call_, New(root_, name), "x")), "EINVAL");
    EXPECT_EQ(CreateError(name, true), "EINVAL");
  }
  const std::string long_name(256, 'n');
  EXPECT_EQ(Error(fs().Mkdir(call_, New(root_, long_name))), "ENAMETOOLONG");
  EXPECT_EQ(CreateError(long_name, false), "ENAMETOOLONG");
}

TEST_F(CreateContract, LongestNamesAreMade) {
  const std::string name(255, 'm');
  EXPECT_EQ(Error(fs().Mkdir(call_, New(root_, name))), "OK");
  EXPECT_TRUE(Exists(name));
}

TEST_F(CreateContract, BelowAFileIsNotdir) {
  WriteNative("file", "");
  const NodeId file = Node("file");
  EXPECT_EQ(Error(fs().Mkdir(call_, New(file, "x"))), "ENOTDIR");
  EXPECT_EQ(Error(fs().Create(call_, New(file, "x"), true, NextHandle(), kReadWrite)), "ENOTDIR");
}

TEST_F(CreateContract, BelowARemovedDirectoryIsAnError) {
  MakeDirectory("d");
  const NodeId directory = Node("d");
  ASSERT_EQ(Error(fs().Rmdir(call_, root_, "d")), "OK");
  EXPECT_TRUE(FailsWithOneOf(fs().Mkdir(call_, New(directory, "x")), {ENOENT, ESTALE}));
}

TEST_F(CreateContract, UmaskIsApplied) {
  ASSERT_EQ(Error(fs().Mkdir(call_, New(root_, "d", 0777, 027))), "OK");
  ASSERT_EQ(Error(fs().Mknod(call_, New(root_, "n", 0666, 077), FileType::kRegular, 0, 0)), "OK");
  Create(New(root_, "c", 0666, 022), true, NextHandle());
  Create(New(root_, "all", 0777, 0), true, NextHandle());
  EXPECT_EQ(StatNative("d").st_mode & 07777u, 0750u);
  EXPECT_EQ(StatNative("n").st_mode & 07777u, 0600u);
  EXPECT_EQ(StatNative("c").st_mode & 07777u, 0644u);
  EXPECT_EQ(StatNative("all").st_mode & 07777u, 0777u);
}

TEST_F(CreateContract, DefaultAclTakesThePlaceOfTheUmask) {
  MakeDirectory("d");
  ASSERT_EQ(setxattr(Path("d").c_str(), "system.posix_acl_default", kDefaultAcl, sizeof kDefaultAcl - 1, 0), 0);
  const NodeId directory = Node("d");
  Create(New(directory, "file", 0666, 077), true, NextHandle());
  ASSERT_EQ(Error(fs().Mkdir(call_, New(directory, "sub", 0777, 077))), "OK");
  EXPECT_EQ(StatNative("d/file").st_mode & 07777u, 0640u);
  EXPECT_EQ(StatNative("d/sub").st_mode & 07777u, 0750u);
  char acl[256];
  EXPECT_EQ(getxattr(Path("d/sub").c_str(), "system.posix_acl_default", acl, sizeof acl),
            static_cast<ssize_t>(sizeof kDefaultAcl - 1));
  EXPECT_GT(getxattr(Path("d/file").c_str(), "system.posix_acl_access", acl, sizeof acl), 0);
}

TEST_F(CreateContract, SetgidDirectoryGivesItsGroup) {
  MakeDirectory("d");
  ASSERT_EQ(chown(Path("d").c_str(), 0, 55), 0);
  ASSERT_EQ(chmod(Path("d").c_str(), 02775), 0);
  auto sub = fs().Mkdir(call_, New(Node("d"), "sub", 0755));
  ASSERT_EQ(Error(sub), "OK");
  EXPECT_EQ(sub->attributes.gid, 55u);
  EXPECT_EQ(sub->attributes.permissions, 02755u);
  EXPECT_EQ(Create(New(Node("d"), "file"), true, NextHandle()).entry.attributes.gid, 55u);
}

TEST_F(CreateContract, CreateGivesANodeAndAnOpenHandle) {
  const HandleId handle = NextHandle();
  const CreateResult result = Create(New(root_, "file", 0600), false, handle);
  EXPECT_TRUE(result.created);
  EXPECT_EQ(result.entry.attributes.permissions, 0600u);
  EXPECT_EQ(result.entry.node, Node("file"));
  WriteFile(handle, 0, "written");
  EXPECT_EQ(ReadNative("file"), "written");
}

TEST_F(CreateContract, ReadOnlyModeStillGivesAWritableHandle) {
  const HandleId handle = NextHandle();
  Create(New(root_, "file", 0400), true, handle);
  WriteFile(handle, 0, "x");
  EXPECT_EQ(ReadNative("file"), "x");
}

TEST_F(CreateContract, CreateOpensWhatIsThere) {
  WriteNative("file", "there");
  chmod(Path("file").c_str(), 0604);
  const HandleId handle = NextHandle();
  const CreateResult result = Create(New(root_, "file", 0777), false, handle);
  EXPECT_FALSE(result.created);
  EXPECT_EQ(result.entry.node, Node("file"));
  EXPECT_EQ(result.entry.attributes.permissions, 0604u);
  EXPECT_EQ(ReadFile(handle, 0, 100), "there");
}

TEST_F(CreateContract, CreateTruncatesWhatIsThereIfAsked) {
  WriteNative("file", "there");
  const CreateResult result =
      Create(New(root_, "file"), false, NextHandle(), {.read = true, .write = true, .truncate = true});
  EXPECT_FALSE(result.created);
  EXPECT_EQ(result.entry.attributes.size, 0u);
  EXPECT_EQ(StatNative("file").st_size, 0);
}

TEST_F(CreateContract, CreateOverOtherTypes) {
  MakeDirectory("d");
  ASSERT_EQ(symlink("nowhere", Path("link").c_str()), 0);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0666), 0);
  ASSERT_EQ(mknod(Path("socket").c_str(), S_IFSOCK | 0666, 0), 0);
  EXPECT_EQ(CreateError("d", false), "EISDIR");
  EXPECT_EQ(CreateError("link", false), "ELOOP");
  EXPECT_EQ(CreateError("fifo", false), "ENXIO");
  EXPECT_EQ(CreateError("socket", false), "ENXIO");
  EXPECT_FALSE(Exists("nowhere"));
}

TEST_F(CreateContract, CreateWithAHandleInUseIsInvalidAndMakesNothing) {
  WriteNative("file", "");
  const HandleId handle = OpenFile("file", kReadOnly);
  EXPECT_EQ(Error(fs().Create(call_, New(root_, "new"), true, handle, kReadWrite)), "EINVAL");
  EXPECT_FALSE(Exists("new"));
}

TEST_F(CreateContract, ProposedIdsAreTaken) {
  auto propose = [&](std::string_view name, uint64_t id) {
    FileSystem::NewNode where = New(root_, name);
    where.proposed = NodeId{kClientNodeBit | id};
    return where;
  };
  auto directory = fs().Mkdir(call_, propose("d", 1));
  ASSERT_EQ(Error(directory), "OK");
  EXPECT_EQ(directory->node, NodeId{kClientNodeBit | 1});
  auto link = fs().Symlink(call_, propose("l", 2), "x");
  ASSERT_EQ(Error(link), "OK");
  EXPECT_EQ(link->node, NodeId{kClientNodeBit | 2});
  auto fifo = fs().Mknod(call_, propose("f", 3), FileType::kFifo, 0, 0);
  ASSERT_EQ(Error(fifo), "OK");
  EXPECT_EQ(fifo->node, NodeId{kClientNodeBit | 3});
  EXPECT_EQ(Create(propose("c", 4), true, NextHandle()).entry.node, NodeId{kClientNodeBit | 4});
  EXPECT_EQ(Node("c"), NodeId{kClientNodeBit | 4});
  EXPECT_EQ(Error(fs().Mkdir(call_, New(NodeId{kClientNodeBit | 1}, "below"))), "OK");
}

TEST_F(CreateContract, ProposedIdOfAKnownFileIsNotTaken) {
  WriteNative("file", "");
  const NodeId known = Node("file");
  FileSystem::NewNode where = New(root_, "file");
  where.proposed = NodeId{kClientNodeBit | 9};
  EXPECT_EQ(Create(where, false, NextHandle()).entry.node, known);
}

TEST_F(CreateContract, NewNodesAreReferences) {
  auto made = fs().Mkdir(call_, New(root_, "d"));
  ASSERT_EQ(Error(made), "OK");
  Forget(made->node, 1);
  EXPECT_EQ(EventuallyStale(made->node), "ESTALE");
  const HandleId handle = NextHandle();
  const CreateResult file = Create(New(root_, "file"), true, handle);
  Forget(file.entry.node, 1);
  Release(handle);
  EXPECT_EQ(EventuallyStale(file.entry.node), "ESTALE");
}

}  // namespace
}  // namespace mirrorfs
