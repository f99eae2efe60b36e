#include "protos/rootfs/id_map.h"

#include <gtest/gtest.h>

namespace mirrorfs {
namespace {

TEST(IdMap, DefaultIsTheIdentity) {
  const IdMap map;
  EXPECT_TRUE(map.IsIdentity());
  EXPECT_EQ(map.ToContainer(1234), 1234u);
  EXPECT_EQ(map.ToAgent(1234), 1234u);
}

TEST(IdMap, TheInitialNamespaceIsTheIdentity) {
  const auto map = IdMap::Parse("         0          0 4294967295\n");
  ASSERT_TRUE(map.ok());
  EXPECT_TRUE(map->IsIdentity());
}

TEST(IdMap, ExtentsMapBothWays) {
  const auto map = IdMap::Parse("0 100000 1000\n1000 1000 1\n1001 101001 64535\n");
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_FALSE(map->IsIdentity());
  EXPECT_EQ(map->ToContainer(100000), 0u);
  EXPECT_EQ(map->ToContainer(100999), 999u);
  EXPECT_EQ(map->ToContainer(1000), 1000u);
  EXPECT_EQ(map->ToAgent(0), 100000u);
  EXPECT_EQ(map->ToAgent(1000), 1000u);
  EXPECT_EQ(map->ToAgent(1001), 101001u);
}

TEST(IdMap, UnmappedIdsAreShownAsOverflowAndHaveNoWayBack) {
  const auto map = IdMap::Parse("0 100000 1000\n");
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->ToContainer(0), kOverflowId);
  EXPECT_EQ(map->ToContainer(101000), kOverflowId);
  EXPECT_EQ(map->ToAgent(1000), std::nullopt);
  EXPECT_EQ(map->ToAgent(kOverflowId), std::nullopt);
  EXPECT_FALSE(map->Maps(0));
  EXPECT_TRUE(map->Maps(100999));
}

TEST(IdMap, AnEmptyMapMapsNothing) {
  const auto map = IdMap::Parse("");
  ASSERT_TRUE(map.ok());
  EXPECT_FALSE(map->IsIdentity());
  EXPECT_EQ(map->ToContainer(0), kOverflowId);
  EXPECT_EQ(map->ToAgent(0), std::nullopt);
}

TEST(IdMap, GarbageIsRefused) {
  EXPECT_FALSE(IdMap::Parse("0 100000").ok());
  EXPECT_FALSE(IdMap::Parse("a b c").ok());
  EXPECT_FALSE(IdMap::Parse("0 0 -1").ok());
  EXPECT_FALSE(IdMap::Parse("0 0 99999999999").ok());
}

}  // namespace
}  // namespace mirrorfs
