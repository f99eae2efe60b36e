#include "fusefs/core/write_queue.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <latch>
#include <string>
#include <thread>

#include "protos/shared/errno_status.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {
namespace {

// A file in memory; writes of it can be held up or made to fail.
class WriteQueueTest : public ::testing::Test {
 protected:
  WriteQueueTest() {
    queue = std::make_shared<WriteQueue>(
        WriteQueueOptions{.chunk_bytes = 4096, .max_in_flight = 2, .sequential_after = 0, .smallest_write = 1}, pool,
        [this](uint64_t offset, absl::Cord data) { return Store(offset, data); }, pending);
  }
  absl::Status Store(uint64_t offset, const absl::Cord& data) {
    if (held != nullptr) held->wait();
    MutexLock lock(mutex);
    ++writes;
    if (fail_with != 0) return ErrnoStatus(fail_with);
    if (file.size() < offset + data.size()) file.resize(offset + data.size());
    file.replace(offset, data.size(), std::string(data));
    return absl::OkStatus();
  }
  WriteQueue::Verdict Offer(uint64_t offset, const std::string& data, std::stop_token stop = {}) {
    return queue->Offer(offset, absl::Cord(data), stop);
  }

  Mutex mutex;
  std::string file;
  int writes = 0;
  int fail_with = 0;
  std::latch* held = nullptr;
  std::shared_ptr<PendingCount> pending = std::make_shared<PendingCount>();
  IoPool pool{4};
  std::shared_ptr<WriteQueue> queue;
};

TEST_F(WriteQueueTest, AStreamArrivesWholeAndInFewerRequests) {
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const std::string piece(100, static_cast<char>('a' + i % 26));
    ASSERT_EQ(Offer(expected.size(), piece), WriteQueue::Verdict::kQueued);
    expected += piece;
  }
  ASSERT_TRUE(queue->Drain({}));
  EXPECT_TRUE(queue->TakeError().ok());
  EXPECT_EQ(file, expected);
  EXPECT_LT(writes, 200);
  EXPECT_FALSE(pending->Any());
}

TEST_F(WriteQueueTest, WhatIsNotNextInTheStreamIsLeftToTheCaller) {
  ASSERT_EQ(Offer(0, "abc"), WriteQueue::Verdict::kQueued);
  EXPECT_EQ(Offer(10, "x"), WriteQueue::Verdict::kNotStream);
  EXPECT_EQ(Offer(1, "x"), WriteQueue::Verdict::kNotStream);
  EXPECT_EQ(Offer(3, "d"), WriteQueue::Verdict::kQueued);
  ASSERT_TRUE(queue->Drain({}));
  EXPECT_EQ(file, "abcd");
}

TEST_F(WriteQueueTest, AnErrorIsToldOnceAndStopsTheStream) {
  fail_with = ENOSPC;
  ASSERT_EQ(Offer(0, "abc"), WriteQueue::Verdict::kQueued);
  ASSERT_TRUE(queue->Drain({}));
  EXPECT_EQ(Offer(3, "def"), WriteQueue::Verdict::kNotStream);
  EXPECT_EQ(ToErrno(queue->TakeError()), ENOSPC);
  EXPECT_TRUE(queue->TakeError().ok());
}

TEST_F(WriteQueueTest, PendingLastsUntilTheAnswer) {
  std::latch gate(1);
  held = &gate;
  ASSERT_EQ(Offer(0, "abc"), WriteQueue::Verdict::kQueued);
  EXPECT_TRUE(pending->Any());
  gate.count_down();
  ASSERT_TRUE(pending->Wait({}));
  EXPECT_EQ(file, "abc");
}

TEST_F(WriteQueueTest, AFullQueueLetsAKilledProgramGo) {
  std::latch gate(1);
  held = &gate;
  std::stop_source stop;
  uint64_t offset = 0;
  std::jthread killer;
  WriteQueue::Verdict verdict = WriteQueue::Verdict::kQueued;
  const std::string piece(4096, 'x');
  while (verdict == WriteQueue::Verdict::kQueued) {
    // Two in flight and one being joined: the fourth has no room.
    if (offset == 3 * piece.size()) killer = std::jthread([&] { stop.request_stop(); });
    verdict = Offer(offset, piece, stop.get_token());
    offset += piece.size();
  }
  EXPECT_EQ(verdict, WriteQueue::Verdict::kStopped);
  EXPECT_EQ(offset, 4 * piece.size());
  gate.count_down();
  ASSERT_TRUE(queue->Drain({}));
  EXPECT_EQ(file.size(), 3 * piece.size());
}

}  // namespace
}  // namespace mirrorfs
