#include "fusefs/core/write_order.h"

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <stop_token>
#include <thread>
#include <utility>

namespace mirrorfs {
namespace {

TEST(WriteOrderTest, AReadWaitsForAWriteOfItsBytesThatCameBefore) {
  WriteOrder order;
  auto write = std::make_unique<WriteOrder::Write>(order, 100, 10);
  bool over = false;  // written before the write ends, read after: no race
  WriteOrder::Read read(order, 0, 4096);
  std::jthread writer([&] {
    over = true;
    write.reset();
  });
  ASSERT_TRUE(read.AwaitWrites({}));
  EXPECT_TRUE(over);
  EXPECT_FALSE(read.Overtaken());
}

TEST(WriteOrderTest, WritesOfOtherBytesDoNotMatter) {
  WriteOrder order;
  const WriteOrder::Write before(order, 0, 4096);
  const WriteOrder::Write behind(order, 8192, 1);
  const WriteOrder::Write nothing(order, 5000, 0);
  WriteOrder::Read read(order, 4096, 4096);
  EXPECT_TRUE(read.AwaitWrites({}));
  const WriteOrder::Write later(order, 8192, 4096);
  EXPECT_FALSE(read.Overtaken());
}

TEST(WriteOrderTest, AWriteThatArrivesDuringTheReadOvertakesIt) {
  WriteOrder order;
  WriteOrder::Read read(order, 4096, 4096);
  ASSERT_TRUE(read.AwaitWrites({}));
  EXPECT_FALSE(read.Overtaken());
  { const WriteOrder::Write write(order, 8191, 1); }
  EXPECT_TRUE(read.Overtaken());
  // It is over, so the next attempt has nothing to wait for.
  ASSERT_TRUE(read.AwaitWrites({}));
  EXPECT_FALSE(read.Overtaken());
}

TEST(WriteOrderTest, WritesThatKeepComingDoNotHoldUpARead) {
  WriteOrder order;
  WriteOrder::Read read(order, 0, 10);
  std::latch begun(1);
  // At every moment one of them is under way.
  std::jthread writer([&](const std::stop_token& stop) {
    auto write = std::make_unique<WriteOrder::Write>(order, 0, 10);
    begun.count_down();
    while (!stop.stop_requested()) {
      auto next = std::make_unique<WriteOrder::Write>(order, 0, 10);
      write = std::move(next);
    }
  });
  begun.wait();
  EXPECT_TRUE(read.AwaitWrites({}));
}

TEST(WriteOrderTest, AStopEndsTheWait) {
  WriteOrder order;
  const WriteOrder::Write write(order, 0, 10);
  WriteOrder::Read read(order, 0, 10);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(read.AwaitWrites(stop.get_token()));
}

}  // namespace
}  // namespace mirrorfs
