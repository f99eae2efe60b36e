// Whose rights an operation has. The kernel is the judge: each case is what it does for a process with those ids.
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kAlice = 1000;
constexpr uint32_t kBob = 1001;
constexpr uint32_t kTeam = 2000;

class CredentialsTest : public RootfsFixture {
 protected:
  std::string OpenError(FileSystem& files, std::string_view name, OpenFlags flags, const CallContext& context = {}) {
    const auto entry = files.Lookup(context, NodeId::kRoot, name);
    if (!entry.ok()) return Error(entry);
    const auto opened = files.Open(context, entry->node, HandleId{next_handle_}, flags, 0);
    const HandleId handles[] = {HandleId{next_handle_++}};
    files.Release(handles);
    return Error(opened);
  }
  void Chown(std::string_view name, uid_t uid, gid_t gid) { ASSERT_EQ(chown(Path(name).c_str(), uid, gid), 0); }

  uint64_t next_handle_ = 1;
};

TEST_F(CredentialsTest, ContainerIdentityCannotReadWhatItsUserCannot) {
  WriteNative("secret", "x", 0600);
  WriteNative("shared", "x", 0640);
  Chown("shared", 0, kTeam);
  mkdir(Path("closed").c_str(), 0700);
  WriteNative("closed/file", "x", 0644);
  auto alice = ServeAs(kAlice, kAlice);
  EXPECT_EQ(OpenError(*alice, "secret", {.read = true}), "EACCES");
  EXPECT_EQ(OpenError(*alice, "shared", {.read = true}), "EACCES");
  EXPECT_EQ(Error(alice->Lookup({}, Walk(*alice, "closed"), "file")), "EACCES");
  EXPECT_EQ(Error(alice->ReadDir({}, Walk(*alice, "closed"), DirCursor::kStart, 4096, true)), "EACCES");
  EXPECT_EQ(Error(alice->Mkdir({}, {.parent = NodeId::kRoot, .name = "d", .permissions = 0755})), "EACCES");
  auto in_team = ServeAs(kAlice, kAlice, {kTeam});
  EXPECT_EQ(OpenError(*in_team, "shared", {.read = true}), "OK");
  EXPECT_EQ(OpenError(*in_team, "shared", {.write = true}), "EACCES");
}

TEST_F(CredentialsTest, RootOfAContainerHasItsCapabilitiesAndNoMore) {
  WriteNative("file", "x", 0600);
  Chown("file", kAlice, kAlice);
  auto without = ServeAs(0, 0, {}, 0);
  EXPECT_EQ(OpenError(*without, "file", {.read = true}), "EACCES");
  auto with = ServeAs(0, 0, {}, DefaultContainerCapabilities());
  EXPECT_EQ(OpenError(*with, "file", {.read = true}), "OK");
  const NodeId node = Walk(*with, "file");
  EXPECT_EQ(Error(with->SetXattr({}, node, "trusted.x", "v", XattrMode::kAny)), "EPERM") << "CAP_SYS_ADMIN";
  auto everything = ServeAs(0, 0, {}, kEveryCapability);
  EXPECT_EQ(Error(everything->SetXattr({}, Walk(*everything, "file"), "trusted.x", "v", XattrMode::kAny)), "OK");
}

TEST_F(CredentialsTest, FixedIdentityHasCapabilitiesOnlyAsRoot) {
  WriteNative("secret", "x", 0600);
  RootedFilesystemOptions options = Options();
  options.identity = {IdentityKind::kFixed, {kAlice, kAlice, {}, kEveryCapability}};
  EXPECT_EQ(OpenError(*Serve(std::move(options)), "secret", {.read = true}), "EACCES");
  Chown("secret", kAlice, kAlice);
  options = Options();
  options.identity = {IdentityKind::kFixed, {0, 0, {}, 0}};
  EXPECT_EQ(OpenError(*Serve(std::move(options)), "secret", {.read = true}), "OK");
}

TEST_F(CredentialsTest, NewFilesBelongToTheCaller) {
  chmod(tree_.c_str(), 0777);
  auto files = ServeCallers();
  const CallContext alice = As(kAlice, kTeam);
  FileSystem::NewNode where = {.parent = NodeId::kRoot, .name = "dir", .permissions = 0777, .umask = 027};
  ASSERT_EQ(Error(files->Mkdir(alice, where)), "OK");
  EXPECT_EQ(StatNative("dir").st_uid, kAlice);
  EXPECT_EQ(StatNative("dir").st_gid, kTeam);
  EXPECT_EQ(StatNative("dir").st_mode & 07777, 0750u);
  where.name = "file";
  where.permissions = 0666;
  where.umask = 0;
  ASSERT_EQ(Error(files->Create(As(kBob, kBob), where, true, HandleId{1}, {.write = true})), "OK");
  EXPECT_EQ(StatNative("file").st_uid, kBob);
  EXPECT_EQ(StatNative("file").st_mode & 07777, 0666u);
  where.name = "of root";
  ASSERT_EQ(Error(files->Mkdir(As(0, 0), where)), "OK");
  EXPECT_EQ(StatNative("of root").st_uid, 0u);
}

TEST_F(CredentialsTest, SetgidDirectoriesGiveTheirGroup) {
  mkdir(Path("team").c_str(), 0777);
  Chown("team", 0, kTeam);
  chmod(Path("team").c_str(), 02777);
  auto files = ServeCallers();
  const NodeId team = Walk(*files, "team");
  FileSystem::NewNode where = {.parent = team, .name = "member", .permissions = 02775};
  ASSERT_EQ(Error(files->Create(As(kAlice, kAlice, {kTeam}), where, true, HandleId{1}, {.write = true})), "OK");
  EXPECT_EQ(StatNative("team/member").st_gid, kTeam);
  EXPECT_EQ(StatNative("team/member").st_mode & 07777, 02775u) << "a member keeps setgid";
  where.name = "stranger";
  ASSERT_EQ(Error(files->Create(As(kBob, kBob), where, true, HandleId{2}, {.write = true})), "OK");
  EXPECT_EQ(StatNative("team/stranger").st_gid, kTeam);
  EXPECT_EQ(StatNative("team/stranger").st_mode & 07777, 0775u) << "a stranger loses it";
  where.name = "dir";
  where.permissions = 0755;
  ASSERT_EQ(Error(files->Mkdir(As(kBob, kBob), where)), "OK");
  EXPECT_EQ(StatNative("team/dir").st_mode & 07777, 02755u);
}

TEST_F(CredentialsTest, ChangesOfOwnerGroupAndModeAreTheKernelsDecision) {
  WriteNative("file", "x", 0755);
  Chown("file", kAlice, kAlice);
  auto files = ServeCallers();
  const NodeOrHandle file = {.node = Walk(*files, "file")};
  const CallContext alice = As(kAlice, kAlice, {kTeam});
  EXPECT_EQ(Error(files->SetAttr(alice, file, {.uid = kBob})), "EPERM");
  EXPECT_EQ(Error(files->SetAttr(alice, file, {.gid = 3000})), "EPERM");
  EXPECT_EQ(Error(files->SetAttr(As(kBob, kBob), file, {.permissions = 0777})), "EPERM");
  EXPECT_EQ(Error(files->SetAttr(As(kBob, kBob), file, {.mtime = TimeValue{false, 5}})), "EPERM");
  EXPECT_EQ(Error(files->SetAttr(alice, file, {.gid = kTeam})), "OK");
  EXPECT_EQ(Error(files->SetAttr(alice, file, {.permissions = 02755})), "OK");
  EXPECT_EQ(StatNative("file").st_mode & 07777, 02755u);
  EXPECT_EQ(Error(files->SetAttr(As(kAlice, kAlice), file, {.permissions = 02755})), "OK");
  EXPECT_EQ(StatNative("file").st_mode & 07777, 0755u) << "not a member: setgid is dropped";
  EXPECT_EQ(Error(files->SetAttr(As(0, 0), file, {.uid = kBob, .gid = kBob})), "OK");
  EXPECT_EQ(StatNative("file").st_uid, kBob);
}

TEST_F(CredentialsTest, WritingAndTruncatingDropSetuidUnlessRoot) {
  auto files = ServeCallers();
  for (const bool root : {false, true}) {
    WriteNative("file", "data");
    Chown("file", kAlice, kAlice);
    chmod(Path("file").c_str(), 06755);
    const CallContext caller = root ? As(0, 0) : As(kAlice, kAlice);
    const NodeId node = Walk(*files, "file");
    const HandleId handle{next_handle_++};
    ASSERT_EQ(Error(files->Open(caller, node, handle, {.write = true}, 0)), "OK");
    ASSERT_EQ(Error(files->Write(caller, handle, 0, absl::Cord("x"))), "OK");
    EXPECT_EQ(StatNative("file").st_mode & 07777, root ? 06755u : 0755u);
    chmod(Path("file").c_str(), 06755);
    ASSERT_EQ(Error(files->SetAttr(caller, {.node = node}, {.size = 1})), "OK");
    EXPECT_EQ(StatNative("file").st_mode & 07777, root ? 06755u : 0755u);
  }
}

TEST_F(CredentialsTest, StickyDirectoriesProtectOthersFiles) {
  mkdir(Path("tmp").c_str(), 0777);
  chmod(Path("tmp").c_str(), 01777);
  WriteNative("tmp/alices", "x", 0666);
  Chown("tmp/alices", kAlice, kAlice);
  auto files = ServeCallers();
  const NodeId tmp = Walk(*files, "tmp");
  EXPECT_EQ(Error(files->Unlink(As(kBob, kBob), tmp, "alices")), "EPERM");
  EXPECT_EQ(Error(files->Rename(As(kBob, kBob), tmp, "alices", tmp, "bobs", {})), "EPERM");
  EXPECT_EQ(Error(ServeAs(kBob, kBob)->Unlink({}, NodeId::kRoot, "tmp")), "EACCES");
  auto bob = ServeAs(kBob, kBob);
  EXPECT_EQ(Error(bob->Unlink({}, Walk(*bob, "tmp"), "alices")), "EPERM");
  EXPECT_EQ(Error(files->Unlink(As(kAlice, kAlice), tmp, "alices")), "OK");
}

TEST_F(CredentialsTest, AccessIsAskedWithTheIdentitysIds) {
  WriteNative("file", "x", 0640);
  Chown("file", kAlice, kTeam);
  auto alice = ServeAs(kAlice, kAlice);
  auto bob = ServeAs(kBob, kBob, {kTeam});
  auto other = ServeAs(3000, 3000);
  EXPECT_EQ(Error(alice->Access({}, Walk(*alice, "file"), {.read = true, .write = true})), "OK");
  EXPECT_EQ(Error(alice->Access({}, Walk(*alice, "file"), {.execute = true})), "EACCES");
  EXPECT_EQ(Error(bob->Access({}, Walk(*bob, "file"), {.read = true})), "OK");
  EXPECT_EQ(Error(bob->Access({}, Walk(*bob, "file"), {.write = true})), "EACCES");
  EXPECT_EQ(Error(other->Access({}, Walk(*other, "file"), {.read = true})), "EACCES");
  EXPECT_EQ(Error(other->Access({}, Walk(*other, "file"), {})), "OK");
}

TEST_F(CredentialsTest, DefaultAclsTakeThePlaceOfTheUmask) {
  // user::rwx group::rwx other::r-x
  const char acl[] = "\2\0\0\0\1\0\7\0\xff\xff\xff\xff\4\0\7\0\xff\xff\xff\xff\x20\0\5\0\xff\xff\xff\xff";
  mkdir(Path("dir").c_str(), 0777);
  if (setxattr(Path("dir").c_str(), "system.posix_acl_default", acl, sizeof(acl) - 1, 0) != 0) {
    GTEST_SKIP() << "no ACLs on this tmpfs";
  }
  auto files = ServeCallers();
  FileSystem::NewNode where = {.parent = Walk(*files, "dir"), .name = "sub", .permissions = 0777, .umask = 077};
  ASSERT_EQ(Error(files->Mkdir(As(0, 0), where)), "OK");
  EXPECT_EQ(StatNative("dir/sub").st_mode & 0777, 0775u);
  where.parent = NodeId::kRoot;
  ASSERT_EQ(Error(files->Mkdir(As(0, 0), where)), "OK");
  EXPECT_EQ(StatNative("sub").st_mode & 0777, 0700u);
}

TEST_F(CredentialsTest, AThreadIsItselfAgainAfterwards) {
  const mode_t umask_before = umask(022);
  umask(umask_before);
  chmod(tree_.c_str(), 0777);
  auto files = ServeAs(kAlice, kAlice, {kTeam});
  ASSERT_EQ(Error(files->Mkdir({}, {.parent = NodeId::kRoot, .name = "d", .permissions = 0777, .umask = 077})), "OK");
  EXPECT_EQ(setfsuid(-1), 0);
  EXPECT_EQ(setfsgid(-1), 0);
  WriteNative("secret", "x", 0600);
  EXPECT_EQ(ReadNative("secret"), "x");
  const mode_t umask_after = umask(022);
  umask(umask_after);
  EXPECT_EQ(umask_after, umask_before);
}

TEST_F(CredentialsTest, ThreadsOfDifferentSessionsDoNotMix) {
  chmod(tree_.c_str(), 0777);
  WriteNative("alices", "x", 0600);
  WriteNative("bobs", "x", 0600);
  Chown("alices", kAlice, kAlice);
  Chown("bobs", kBob, kBob);
  auto alice = ServeAs(kAlice, kAlice);
  auto bob = ServeAs(kBob, kBob);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&, number] {
      for (int round = 0; round < 500; ++round) {
        FileSystem& files = (round + number) % 2 == 0 ? *alice : *bob;
        const bool is_alice = (round + number) % 2 == 0;
        const HandleId handle{static_cast<uint64_t>(number) * 10000 + static_cast<uint64_t>(round) + 1};
        const auto own = files.Lookup({}, NodeId::kRoot, is_alice ? "alices" : "bobs");
        const auto others = files.Lookup({}, NodeId::kRoot, is_alice ? "bobs" : "alices");
        if (!own.ok() || !others.ok() || !files.Open({}, own->node, handle, {.read = true}, 0).ok()) ++wrong;
        if (ToErrno(files.Open({}, others->node, HandleId{900000}, {.read = true}, 0).status()) != EACCES) ++wrong;
        files.Release({&handle, 1});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace mirrorfs
