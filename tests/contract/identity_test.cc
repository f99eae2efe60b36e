// Access, and whose rights calls have.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kUser = 4321;
constexpr uint32_t kGroup = 8765;

class UserContract : public ContractTest {
 protected:
  void SetUp() override { Remake({.user = Caller{.uid = kUser, .gid = kGroup}}); }
  void Make(std::string_view name, uint32_t uid, uint32_t gid, uint32_t permissions) {
    WriteNative(name, "content");
    ASSERT_EQ(chown(Path(name).c_str(), uid, gid), 0);
    ASSERT_EQ(chmod(Path(name).c_str(), permissions), 0);
  }
  void Own(std::string_view directory, uint32_t uid, uint32_t gid, uint32_t permissions) {
    MakeDirectory(directory);
    ASSERT_EQ(chown(Path(directory).c_str(), uid, gid), 0);
    ASSERT_EQ(chmod(Path(directory).c_str(), permissions), 0);
  }
  std::string Access(std::string_view name, const AccessMask& mask) {
    return Error(fs().Access(call_, Node(name), mask));
  }
  std::string Open(std::string_view name, const OpenFlags& flags) {
    return Error(fs().Open(call_, Node(name), NextHandle(), flags, 0));
  }
};

TEST_F(UserContract, PermissionsOfOwnerGroupAndOthers) {
  Make("owner", kUser, 0, 0400);
  Make("group", 0, kGroup, 0240);
  Make("other", 0, 0, 0204);
  Make("nobody", 0, 0, 0660);
  for (const char* name : {"owner", "group", "other"}) {
    EXPECT_EQ(Access(name, {.read = true}), "OK") << name;
    EXPECT_EQ(Open(name, kReadOnly), "OK") << name;
    EXPECT_EQ(Access(name, {.write = true}), "EACCES") << name;
    EXPECT_EQ(Open(name, kReadWrite), "EACCES") << name;
    EXPECT_EQ(Access(name, {.execute = true}), "EACCES") << name;
  }
  EXPECT_EQ(Access("nobody", {.read = true}), "EACCES");
  EXPECT_EQ(Access("nobody", {}), "OK");
  EXPECT_EQ(Open("nobody", kReadOnly), "EACCES");
}

TEST_F(UserContract, OwnerIsTheUser) {
  chmod(Path().c_str(), 0777);
  auto made = fs().Mkdir(call_, New(root_, "d"));
  ASSERT_EQ(Error(made), "OK");
  EXPECT_EQ(made->attributes.uid, kUser);
  EXPECT_EQ(made->attributes.gid, kGroup);
  auto created = fs().Create(call_, New(root_, "f"), true, NextHandle(), kReadWrite);
  ASSERT_EQ(Error(created), "OK");
  EXPECT_EQ(created->entry.attributes.uid, kUser);
  EXPECT_EQ(StatNative("f").st_gid, kGroup);
}

TEST_F(UserContract, DirectoriesThatMayNotBeSearchedOrRead) {
  Own("closed", 0, 0, 0700);
  WriteNative("closed/file", "");
  Own("unsearchable", 0, 0, 0744);
  WriteNative("unsearchable/file", "");
  EXPECT_EQ(Error(fs().Lookup(call_, Node("closed"), "file")), "EACCES");
  EXPECT_EQ(Error(fs().ReadDir(call_, Node("closed"), DirCursor::kStart, 4096, false)), "EACCES");
  EXPECT_EQ(Error(fs().Lookup(call_, Node("unsearchable"), "file")), "EACCES");
  EXPECT_EQ(List(Node("unsearchable")), std::vector<std::string>{"file"});
}

TEST_F(UserContract, DirectoriesThatMayNotBeWritten) {
  Own("d", 0, 0, 0755);
  WriteNative("d/file", "");
  MakeDirectory("d/sub");
  const NodeId directory = Node("d");
  EXPECT_EQ(Error(fs().Mkdir(call_, New(directory, "x"))), "EACCES");
  EXPECT_EQ(Error(fs().Symlink(call_, New(directory, "x"), "y")), "EACCES");
  EXPECT_EQ(Error(fs().Mknod(call_, New(directory, "x"), FileType::kFifo, 0, 0)), "EACCES");
  EXPECT_EQ(Error(fs().Create(call_, New(directory, "x"), true, NextHandle(), kReadWrite)), "EACCES");
  EXPECT_EQ(Error(fs().Unlink(call_, directory, "file")), "EACCES");
  EXPECT_EQ(Error(fs().Rmdir(call_, directory, "sub")), "EACCES");
  EXPECT_EQ(Error(fs().Rename(call_, directory, "file", directory, "x", RenameMode::kReplace)), "EACCES");
}

TEST_F(UserContract, StickyDirectories) {
  Own("sticky", 0, 0, 01777);
  Make("sticky/mine", kUser, kGroup, 0644);
  Make("sticky/theirs", 0, 0, 0666);
  const NodeId directory = Node("sticky");
  EXPECT_EQ(Error(fs().Unlink(call_, directory, "theirs")), "EPERM");
  EXPECT_EQ(Error(fs().Rename(call_, directory, "theirs", directory, "x", RenameMode::kReplace)), "EPERM");
  EXPECT_EQ(Error(fs().Rename(call_, directory, "mine", directory, "theirs", RenameMode::kReplace)), "EPERM");
  EXPECT_EQ(Error(fs().Unlink(call_, directory, "mine")), "OK");
}

TEST_F(UserContract, OnlyOwnersChangeAttributes) {
  Make("mine", kUser, kGroup, 0644);
  Make("theirs", 0, 0, 0666);
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("mine")}, {.permissions = 0600})), "OK");
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("theirs")}, {.permissions = 0600})), "EPERM");
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("theirs")}, {.mtime = TimeValue{.ns = 5}})), "EPERM");
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("mine")}, {.uid = 0})), "EPERM");
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("mine")}, {.gid = 0})), "EPERM");
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("mine")}, {.gid = kGroup})), "OK");
}

TEST_F(UserContract, TimesOfAWritableFileMayBeNow) {
  Make("theirs", 0, 0, 0666);
  Make("closed", 0, 0, 0644);
  const TimeValue now = {.now = true};
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("theirs")}, {.atime = now, .mtime = now})), "OK");
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("closed")}, {.atime = now, .mtime = now})), "EACCES");
}

TEST_F(UserContract, SizeNeedsWritePermission) {
  Make("theirs", 0, 0, 0644);
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("theirs")}, {.size = 0})), "EACCES");
  EXPECT_EQ(ReadNative("theirs"), "content");
}

TEST_F(UserContract, XattrsNeedPermission) {
  Make("theirs", 0, 0, 0600);
  EXPECT_EQ(Error(fs().SetXattr(call_, Node("theirs"), "user.a", "v", XattrMode::kAny)), "EACCES");
  EXPECT_EQ(Error(fs().GetXattr(call_, Node("theirs"), "user.a")), "EACCES");
  // A test process that is root keeps CAP_SYS_ADMIN whatever its file system uid.
  if (world().ThroughKernel()) return;
  EXPECT_EQ(Error(fs().SetXattr(call_, Node("theirs"), "trusted.a", "v", XattrMode::kAny)), "EPERM");
}

TEST_F(UserContract, HandleKeepsTheRightsItWasOpenedWith) {
  Make("mine", kUser, kGroup, 0600);
  const HandleId handle = OpenFile("mine", kReadWrite);
  ASSERT_EQ(chmod(Path("mine").c_str(), 0), 0);
  WriteFile(handle, 0, "CON");
  EXPECT_EQ(ReadFile(handle, 0, 100), "CONtent");
}

class RootContract : public ContractTest {};

TEST_F(RootContract, AccessOfRoot) {
  WriteNative("file", "");
  ASSERT_EQ(chmod(Path("file").c_str(), 0), 0);
  const NodeId file = Node("file");
  EXPECT_EQ(Error(fs().Access(call_, file, {.read = true, .write = true})), "OK");
  EXPECT_EQ(Error(fs().Access(call_, file, {.execute = true})), "EACCES");
  EXPECT_EQ(Error(fs().Access(call_, root_, {.read = true, .write = true, .execute = true})), "OK");
}

class CallerContract : public ContractTest {
 protected:
  void SetUp() override { Remake({.caller = true}); }
  CallContext As(uint32_t uid, uint32_t gid, std::vector<uint32_t> groups = {}) {
    CallContext context;
    context.caller = {.uid = uid, .gid = gid, .groups = std::move(groups)};
    return context;
  }
};

TEST_F(CallerContract, EachCallIsItsCallers) {
  chmod(Path().c_str(), 0777);
  for (uint32_t uid : {0u, 1000u, 65533u, 0u}) {
    const std::string name = "d" + std::to_string(uid) + std::to_string(ToNumber(NextHandle()));
    auto made = fs().Mkdir(As(uid, uid + 1), New(root_, name));
    ASSERT_EQ(Error(made), "OK");
    EXPECT_EQ(made->attributes.uid, uid);
    EXPECT_EQ(made->attributes.gid, uid + 1);
    auto created = fs().Create(As(uid, uid + 1), New(root_, "f" + name), true, NextHandle(), kReadWrite);
    ASSERT_EQ(Error(created), "OK");
    EXPECT_EQ(created->entry.attributes.uid, uid);
  }
}

TEST_F(CallerContract, SetgidSurvivesOnlyInOnesOwnGroups) {
  WriteNative("file", "");
  ASSERT_EQ(chown(Path("file").c_str(), 1000, 50), 0);
  const NodeOrHandle file = {.node = Node("file")};
  auto without = fs().SetAttr(As(1000, 1000), file, {.permissions = 02755});
  ASSERT_EQ(Error(without), "OK");
  EXPECT_EQ(without->attributes.permissions, 0755u);
  auto with = fs().SetAttr(As(1000, 1000, {50}), file, {.permissions = 02755});
  ASSERT_EQ(Error(with), "OK");
  EXPECT_EQ(with->attributes.permissions, 02755u);
}

}  // namespace
}  // namespace mirrorfs
