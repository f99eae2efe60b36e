#include "protos/rootfs/posix_acl.h"

#include <gtest/gtest.h>

#include <cstring>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr uint16_t kUserObject = 1, kUser = 2, kGroup = 8, kOther = 0x20;

void AddEntry(std::string& acl, uint16_t tag, uint32_t id) {
  const uint16_t permissions = 7;
  acl.append(reinterpret_cast<const char*>(&tag), 2);
  acl.append(reinterpret_cast<const char*>(&permissions), 2);
  acl.append(reinterpret_cast<const char*>(&id), 4);
}

std::string Acl(uint32_t user, uint32_t group) {
  std::string acl("\2\0\0\0", 4);
  AddEntry(acl, kUserObject, UINT32_MAX);
  AddEntry(acl, kUser, user);
  AddEntry(acl, kGroup, group);
  AddEntry(acl, kOther, UINT32_MAX);
  return acl;
}

class PosixAcl : public testing::Test {
 protected:
  const IdMap uids_ = *IdMap::Parse("0 100000 1000");
  const IdMap gids_ = *IdMap::Parse("0 200000 1000");
};

TEST_F(PosixAcl, IdsOfNamedUsersAndGroupsAreMappedBothWays) {
  EXPECT_EQ(AclToContainer(Acl(100005, 200006), uids_, gids_), Acl(5, 6));
  const auto back = AclToAgent(Acl(5, 6), uids_, gids_);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, Acl(100005, 200006));
}

TEST_F(PosixAcl, UnmappedIdsAreShownAndRefused) {
  EXPECT_EQ(AclToContainer(Acl(5, 200006), uids_, gids_), Acl(kOverflowId, 6));
  EXPECT_EQ(ToErrno(AclToAgent(Acl(1000, 6), uids_, gids_).status()), EINVAL);
}

TEST_F(PosixAcl, WhatIsNoAclIsLeftAlone) {
  for (const std::string value : {"", "x", "\2\0\0\0abc"}) {
    EXPECT_EQ(AclToContainer(value, uids_, gids_), value);
    EXPECT_EQ(*AclToAgent(value, uids_, gids_), value);
  }
}

TEST_F(PosixAcl, Names) {
  EXPECT_TRUE(IsPosixAclName("system.posix_acl_access"));
  EXPECT_TRUE(IsPosixAclName("system.posix_acl_default"));
  EXPECT_FALSE(IsPosixAclName("user.posix_acl_access"));
}

}  // namespace
}  // namespace mirrorfs
