#include "fusefs/core/attribute_cache.h"

#include <gtest/gtest.h>

#include <thread>

namespace mirrorfs {
namespace {

class AttributeCacheTest : public testing::Test {
 protected:
  // What a question that was asked just now would give.
  void Answered(uint64_t size) {
    const Instant asked_at = Now();
    cache_.Keep(inode_, {WithSize(size), asked_at, asked_at});
  }
  static Attributes WithSize(uint64_t size) {
    Attributes attributes;
    attributes.size = size;
    return attributes;
  }
  uint64_t KnownSize() {
    const auto known = cache_.Find(inode_);
    return known ? known->attributes.size : 0;
  }

  Inode inode_{NodeId{7}, FileType::kRegular};
  AttributeCache cache_{absl::Milliseconds(200)};
};

TEST_F(AttributeCacheTest, AnAnswerIsUsedUntilItIsOld) {
  EXPECT_EQ(KnownSize(), 0u);
  Answered(5);
  EXPECT_EQ(KnownSize(), 5u);
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  EXPECT_EQ(KnownSize(), 0u);
}

TEST_F(AttributeCacheTest, WhatThisMountChangesIsAskedAgain) {
  Answered(5);
  inode_.MarkChanged();
  EXPECT_EQ(KnownSize(), 0u);
  Answered(6);
  EXPECT_EQ(KnownSize(), 6u);
  inode_.ForgetTold();
  EXPECT_EQ(KnownSize(), 0u) << "reading may move atime";
  Answered(7);
  cache_.DropAll();
  EXPECT_EQ(KnownSize(), 0u);
}

TEST_F(AttributeCacheTest, WhatAChangeTellsIsRightIfItWasAlone) {
  const Instant asked_at = Now();
  Inode::Change change(inode_);
  const auto right_from = change.End();
  ASSERT_TRUE(right_from.has_value());
  cache_.Keep(inode_, {WithSize(9), asked_at, *right_from});
  EXPECT_EQ(KnownSize(), 9u);
  EXPECT_FALSE(change.End().has_value()) << "it ends once";
}

TEST_F(AttributeCacheTest, ChangesSideBySideTellNothing) {
  Inode::Change first(inode_);
  Inode::Change second(inode_);
  EXPECT_FALSE(first.End().has_value()) << "the second may come after what was read for the first";
  EXPECT_FALSE(second.End().has_value()) << "the first may have come after what was read for the second";
  Inode::Change third(inode_);
  EXPECT_TRUE(third.End().has_value());
}

TEST_F(AttributeCacheTest, AnAnswerThatWasAskedForBeforeAChangeIsNotUsedAfterIt) {
  const Instant asked_at = Now();
  { const Inode::Change change(inode_); }
  cache_.Keep(inode_, {WithSize(5), asked_at, asked_at});
  EXPECT_EQ(KnownSize(), 0u);
}

TEST_F(AttributeCacheTest, AnInodeThatCameBackKnowsNothing) {
  Answered(5);
  Inode again(NodeId{7}, FileType::kRegular);
  EXPECT_FALSE(cache_.Find(again).has_value());
}

TEST_F(AttributeCacheTest, QueuedWritesHideWhatIsKnown) {
  Answered(5);
  inode_.pending_writes()->Begin();
  EXPECT_EQ(KnownSize(), 0u);
  inode_.pending_writes()->End();
}

}  // namespace
}  // namespace mirrorfs
