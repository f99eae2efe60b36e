// A container in a user namespace: its ids are shown and taken as it knows them.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kBase = 100000;

class IdMapping : public RootfsFixture {
 protected:
  void SetUp() override {
    RootfsFixture::SetUp();
    if (IsSkipped()) return;
    chown(tree_.c_str(), kBase, kBase);
    WriteNative("roots", "x", 0600);
    Chown("roots", kBase, kBase);
    WriteNative("hosts", "x", 0600);
  }
  void Chown(std::string_view name, uid_t uid, gid_t gid) { ASSERT_EQ(chown(Path(name).c_str(), uid, gid), 0); }
  RootedFilesystemOptions Mapped(IdentityKind kind) {
    RootedFilesystemOptions options = Options();
    options.uids = *IdMap::Parse("0 100000 65536");
    options.gids = *IdMap::Parse("0 100000 65536");
    options.devices = true;
    options.identity = {kind, {kBase, kBase, {}, kEveryCapability}};
    return options;
  }
};

TEST_F(IdMapping, OwnersAreShownAsTheContainerKnowsThem) {
  auto files = Serve(Mapped(IdentityKind::kContainer));
  EXPECT_EQ(files->Lookup({}, NodeId::kRoot, "roots")->attributes.uid, 0u);
  EXPECT_EQ(files->Lookup({}, NodeId::kRoot, "hosts")->attributes.uid, kOverflowId);
  EXPECT_EQ(files->Lookup({}, NodeId::kRoot, "hosts")->attributes.gid, kOverflowId);
}

TEST_F(IdMapping, ChownTakesTheContainersIdsAndRefusesOthers) {
  auto files = Serve(Mapped(IdentityKind::kContainer));
  const NodeOrHandle file = {.node = Walk(*files, "roots")};
  EXPECT_EQ(Error(files->SetAttr({}, file, {.uid = 1000, .gid = 1001})), "OK");
  EXPECT_EQ(StatNative("roots").st_uid, kBase + 1000);
  EXPECT_EQ(StatNative("roots").st_gid, kBase + 1001);
  EXPECT_EQ(Error(files->SetAttr({}, file, {.uid = 65536})), "EINVAL");
  EXPECT_EQ(Error(files->SetAttr({}, file, {.gid = 4000000})), "EINVAL");
}

TEST_F(IdMapping, CapabilitiesEndWhereTheMapEnds) {
  auto files = Serve(Mapped(IdentityKind::kContainer));
  const NodeId hosts = Walk(*files, "hosts");
  EXPECT_EQ(Error(files->Open({}, hosts, HandleId{1}, {.read = true}, 0)), "EACCES");
  EXPECT_EQ(Error(files->SetAttr({}, {.node = hosts}, {.permissions = 0644})), "EPERM");
  EXPECT_EQ(Error(files->SetAttr({}, {.node = hosts}, {.uid = 0})), "EPERM");
  Chown("roots", kBase + 7, kBase + 7);
  EXPECT_EQ(Error(files->Open({}, Walk(*files, "roots"), HandleId{1}, {.read = true}, 0)), "OK");
}

TEST_F(IdMapping, WhatOnlyTheInitialNamespaceMayIsRefused) {
  auto files = Serve(Mapped(IdentityKind::kContainer));
  const NodeId file = Walk(*files, "roots");
  EXPECT_EQ(Error(files->SetXattr({}, file, "security.capability", "x", XattrMode::kAny)), "EPERM");
  EXPECT_EQ(Error(files->SetXattr({}, file, "trusted.x", "v", XattrMode::kAny)), "EPERM");
  const FileSystem::NewNode where = {.parent = NodeId::kRoot, .name = "null", .permissions = 0666};
  EXPECT_EQ(Error(files->Mknod({}, where, FileType::kCharacterDevice, 1, 3)), "EPERM");
}

TEST_F(IdMapping, CallersAreMapped) {
  auto files = Serve(Mapped(IdentityKind::kCaller));
  chmod(tree_.c_str(), 0777);
  const FileSystem::NewNode where = {.parent = NodeId::kRoot, .name = "dir", .permissions = 0755};
  const auto made = files->Mkdir(As(1000, 1000, {5, 9000000}), where);
  ASSERT_EQ(Error(made), "OK");
  EXPECT_EQ(made->attributes.uid, 1000u);
  EXPECT_EQ(StatNative("dir").st_uid, kBase + 1000);
  EXPECT_EQ(Error(files->Lookup(As(70000, 0), NodeId::kRoot, "dir")), "EOVERFLOW");
}

TEST_F(IdMapping, AclsAreMapped) {
  auto files = Serve(Mapped(IdentityKind::kContainer));
  const NodeId file = Walk(*files, "roots");
  const auto acl = [](uint32_t user) {
    std::string text("\2\0\0\0\1\0\6\0\xff\xff\xff\xff\2\0\4\0", 16);
    text.append(reinterpret_cast<const char*>(&user), 4);
    text.append("\4\0\0\0\xff\xff\xff\xff\x10\0\4\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff", 24);
    return text;
  };
  ASSERT_EQ(Error(files->SetXattr({}, file, "system.posix_acl_access", acl(1000), XattrMode::kAny)), "OK");
  EXPECT_EQ(files->GetXattr({}, file, "system.posix_acl_access").value(), acl(1000));
  auto host = Serve();
  EXPECT_EQ(host->GetXattr({}, Walk(*host, "roots"), "system.posix_acl_access").value(), acl(kBase + 1000));
  EXPECT_EQ(Error(files->SetXattr({}, file, "system.posix_acl_access", acl(70000), XattrMode::kAny)), "EINVAL");
}

}  // namespace
}  // namespace mirrorfs
