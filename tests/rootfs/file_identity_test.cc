#include "protos/rootfs/file_identity.h"

#include <gtest/gtest.h>

namespace mirrorfs {
namespace {

struct statx Stat(uint64_t inode, int64_t birth) {
  struct statx stat = {};
  stat.stx_mask = STATX_BASIC_STATS | STATX_BTIME;
  stat.stx_ino = inode;
  stat.stx_btime.tv_sec = birth;
  return stat;
}

constexpr IdentityFacts kFile = {.type = FileType::kRegular, .lasting = true};
constexpr IdentityFacts kOverlayFile = {.type = FileType::kRegular, .overlay = true, .lasting = true};
constexpr IdentityFacts kOverlayDirectory = {.type = FileType::kDirectory, .overlay = true, .lasting = true};

TEST(FileIdentity, ReusedInodeNumbersAreOtherFiles) {
  EXPECT_NE(EncodeIdentity(Stat(5, 1), kFile, "id1"), EncodeIdentity(Stat(5, 1), kFile, "id2"));
  EXPECT_NE(EncodeIdentity(Stat(5, 1), kFile, "id1"), EncodeIdentity(Stat(5, 2), kFile, "id1"));
  IdentityFacts without = kFile;
  without.lasting = false;
  EXPECT_NE(EncodeIdentity(Stat(5, 1), without, ""), EncodeIdentity(Stat(5, 2), without, ""));
}

TEST(FileIdentity, OnOverlayTheBirthTimeChangesWithACopyUpAndIsNotLookedAt) {
  EXPECT_EQ(EncodeIdentity(Stat(5, 1), kOverlayFile, "id"), EncodeIdentity(Stat(5, 2), kOverlayFile, "id"));
  EXPECT_NE(EncodeIdentity(Stat(5, 1), kOverlayFile, "id"), EncodeIdentity(Stat(6, 1), kOverlayFile, "id"));
  EXPECT_EQ(EncodeIdentity(Stat(5, 1), kOverlayDirectory, "id"), EncodeIdentity(Stat(6, 1), kOverlayDirectory, "id"));
}

TEST(FileIdentity, TellsItsFacts) {
  struct statx stat = Stat(5, 1);
  stat.stx_dev_major = 0;
  stat.stx_dev_minor = 42;
  const IdentityFacts facts = {.type = FileType::kDirectory,
                               .refused = true,
                               .overlay = true,
                               .lasting = true,
                               .per_name = true,
                               .device = DeviceNumber(stat)};
  EXPECT_EQ(DecodeIdentity(EncodeIdentity(stat, facts, "id")), facts);
}

TEST(FileIdentity, GarbageIsNoIdentity) {
  EXPECT_EQ(DecodeIdentity(""), std::nullopt);
  EXPECT_EQ(DecodeIdentity("short"), std::nullopt);
  EXPECT_EQ(DecodeIdentity(std::string(40, '\x0f')), std::nullopt);
  EXPECT_EQ(DecodeIdentity(std::string(4000, '\1')), std::nullopt);
}

}  // namespace
}  // namespace mirrorfs
