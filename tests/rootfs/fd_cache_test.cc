#include "protos/rootfs/fd_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace mirrorfs {
namespace {

SharedFd Open() { return ShareFd(UniqueFd(open("/", O_PATH | O_CLOEXEC))); }
bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(FdCache, TheLeastRecentlyUsedGoesFirst) {
  FdCache cache(2);
  cache.Put(NodeId{1}, Open());
  cache.Put(NodeId{2}, Open());
  EXPECT_NE(cache.Find(NodeId{1}), nullptr);
  cache.Put(NodeId{3}, Open());
  EXPECT_EQ(cache.Find(NodeId{2}), nullptr);
  EXPECT_NE(cache.Find(NodeId{1}), nullptr);
  EXPECT_NE(cache.Find(NodeId{3}), nullptr);
  EXPECT_EQ(cache.size(), 2u);
}

TEST(FdCache, WhatIsInUseStaysOpen) {
  FdCache cache(1);
  SharedFd used = Open();
  const int number = used->get();
  cache.Put(NodeId{1}, used);
  cache.Put(NodeId{2}, Open());
  EXPECT_TRUE(IsOpen(number));
  used.reset();
  EXPECT_FALSE(IsOpen(number));
}

TEST(FdCache, UnusedOnesAreGivenBack) {
  FdCache cache(8);
  cache.Put(NodeId{1}, Open());
  const auto later = FdCache::Clock::now() + std::chrono::nanoseconds(1);
  while (FdCache::Clock::now() <= later) {
  }
  cache.Put(NodeId{2}, Open());
  cache.EraseUnusedSince(later);
  EXPECT_EQ(cache.Find(NodeId{1}), nullptr);
  EXPECT_NE(cache.Find(NodeId{2}), nullptr);
}

TEST(FdCache, EraseAndClear) {
  FdCache cache(8);
  for (uint64_t node = 1; node <= 4; ++node) cache.Put(NodeId{node}, Open());
  const NodeId erased[] = {NodeId{2}, NodeId{9}};
  cache.Erase(erased);
  EXPECT_EQ(cache.Find(NodeId{2}), nullptr);
  EXPECT_EQ(cache.size(), 3u);
  cache.Clear();
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.Find(NodeId{1}), nullptr);
}

}  // namespace
}  // namespace mirrorfs
