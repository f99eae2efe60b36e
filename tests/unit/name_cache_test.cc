#include "fusefs/core/name_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace mirrorfs {
namespace {

constexpr NodeId kDirectory{7};

InodePtr MakeInode(uint64_t node) { return std::make_shared<Inode>(NodeId{node}, FileType::kRegular); }

ListingPtr MakeListing(Instant at, std::vector<std::string> names, bool complete = true) {
  std::vector<ListedName> listed;
  uint64_t node = 100;
  for (std::string& name : names) {
    ListedName one;
    one.name = std::move(name);
    one.inode = MakeInode(node++);
    listed.push_back(std::move(one));
  }
  return std::make_shared<const Listing>(at, std::move(listed), complete);
}

class NameCacheTest : public ::testing::Test {
 protected:
  void KeepListing(std::vector<std::string> names, bool complete = true) {
    const auto ticket = cache.Ask(kDirectory);
    cache.Keep(kDirectory, ticket, MakeListing(ticket.asked_at, std::move(names), complete));
  }
  NameCache cache{absl::Hours(1)};
};

TEST_F(NameCacheTest, ACompleteListingKnowsWhatIsNotThere) {
  KeepListing({"a", "b"});
  ASSERT_TRUE(cache.Find(kDirectory, "a"));
  EXPECT_NE(cache.Find(kDirectory, "a")->inode, nullptr);
  ASSERT_TRUE(cache.Find(kDirectory, "c"));
  EXPECT_EQ(cache.Find(kDirectory, "c")->inode, nullptr);
}

TEST_F(NameCacheTest, APartOfAListingKnowsOnlyWhatIsThere) {
  KeepListing({"a"}, /*complete=*/false);
  EXPECT_TRUE(cache.Find(kDirectory, "a"));
  EXPECT_FALSE(cache.Find(kDirectory, "c"));
  EXPECT_EQ(cache.FindListing(kDirectory), nullptr);
}

TEST_F(NameCacheTest, AnAnswerFromBeforeAChangeIsNotKept) {
  const auto ticket = cache.Ask(kDirectory);
  {
    NameCache::Change change(cache, kDirectory);
    change.Set("new", CachedName{MakeInode(5), {}, Now()});
  }
  cache.Keep(kDirectory, ticket, MakeListing(ticket.asked_at, {"old"}));
  EXPECT_FALSE(cache.Find(kDirectory, "old"));
  ASSERT_TRUE(cache.Find(kDirectory, "new"));
}

TEST_F(NameCacheTest, AnAnswerDuringAChangeIsNotKept) {
  NameCache::Change change(cache, kDirectory);
  const auto ticket = cache.Ask(kDirectory);
  cache.Keep(kDirectory, ticket, "x", CachedName{MakeInode(5), {}, ticket.asked_at});
  EXPECT_FALSE(cache.Find(kDirectory, "x"));
}

TEST_F(NameCacheTest, ChangesGoOnTopOfTheListing) {
  KeepListing({"a", "b"});
  {
    NameCache::Change change(cache, kDirectory);
    change.Set("a", CachedName{nullptr, {}, Now()});
    change.Set("c", CachedName{MakeInode(5), {}, Now()});
  }
  EXPECT_EQ(cache.Find(kDirectory, "a")->inode, nullptr);
  EXPECT_NE(cache.Find(kDirectory, "b")->inode, nullptr);
  EXPECT_NE(cache.Find(kDirectory, "c")->inode, nullptr);
  EXPECT_EQ(cache.FindListing(kDirectory), nullptr) << "the listing itself is not right any more";
}

TEST_F(NameCacheTest, WhatBecameOfANameAfterAnErrorIsAskedAgain) {
  KeepListing({"a"});
  {
    NameCache::Change change(cache, kDirectory);
    change.Unset("a");
  }
  EXPECT_FALSE(cache.Find(kDirectory, "a"));
}

TEST(NameCacheAge, OldAnswersAreNotUsedAndGo) {
  NameCache cache(absl::ZeroDuration());
  const InodePtr inode = MakeInode(5);
  const auto ticket = cache.Ask(kDirectory);
  cache.Keep(kDirectory, ticket, "x", CachedName{inode, {}, ticket.asked_at});
  EXPECT_FALSE(cache.Find(kDirectory, "x"));
  EXPECT_EQ(inode.use_count(), 2);
  cache.DropOld();
  EXPECT_EQ(inode.use_count(), 1);
}

}  // namespace
}  // namespace mirrorfs
