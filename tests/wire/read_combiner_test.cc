// Small reads that go together: each gets its own bytes, errors and end, whatever happens to the others.
#include "fusefs/remote/read_combiner.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "protos/shared/errno_status.h"
#include "tests/wire/await_read.h"

namespace mirrorfs {
namespace {

constexpr NodeId kNode{7};

// A far end that answers when it is told to.
class ReadCombinerTest : public ::testing::Test {
 protected:
  static absl::Cord Content(const ReadRange& range) {
    return absl::Cord(std::string(range.size, static_cast<char>('a' + range.offset % 26)));
  }

  ReadCombiner& Combiner() {
    if (!combiner_) {
      combiner_.emplace([this](const CallContext&, const ReadRange& range) { return SendOne(range); },
                        [this](const CallContext&, auto ranges) { return SendMany(ranges); }, patience_);
    }
    return *combiner_;
  }

  void Pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void AwaitArrived(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ >= count; });
  }
  void Open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

  absl::StatusOr<absl::Cord> SendOne(const ReadRange& range) {
    Pass();
    ++alone_;
    return Content(range);
  }
  absl::StatusOr<ReadCombiner::Outcomes> SendMany(absl::Span<const ReadRange> ranges) {
    Pass();
    largest_ = std::max<size_t>(largest_, ranges.size());
    together_ += ranges.size();
    if (const int failure = fails_once_ ? failure_.exchange(0) : failure_.load()) return ErrnoStatus(failure);
    ReadCombiner::Outcomes outcomes;
    for (const ReadRange& range : ranges.first(std::min(ranges.size(), answered_))) {
      if (range.handle == HandleId{13}) {
        outcomes.emplace_back(ErrnoStatus(ESTALE));
      } else {
        outcomes.emplace_back(Content(range));
      }
    }
    return outcomes;
  }

  absl::StatusOr<absl::Cord> Read(const CallContext& context, const ReadRange& range) {
    return AwaitRead([&](ReadDone done) { Combiner().Start(context, kNode, range, std::move(done)); });
  }

  // Reads of one page each, all at once: two are on their way when the others come.
  std::vector<std::string> ReadTogether(int count, CallContext context = {}) {
    Combiner();
    std::vector<std::string> results(count);
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
      if (i == 2) AwaitArrived(2);
      threads.emplace_back([&, i] {
        const ReadRange range{HandleId{static_cast<uint64_t>(i)}, static_cast<uint64_t>(i), 4096};
        const auto data = Read(context, range);
        results[i] = data.ok() ? std::string(*data) : std::to_string(ToErrno(data.status()));
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the others wait by then, or go alone: right anyway
    Open();
    for (std::thread& thread : threads) thread.join();
    return results;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrived_ = 0;
  std::atomic<int> alone_ = 0;
  std::atomic<size_t> largest_ = 0;
  std::atomic<size_t> together_ = 0;
  size_t answered_ = SIZE_MAX;
  std::atomic<int> failure_ = 0;
  bool fails_once_ = false;
  std::chrono::milliseconds patience_ = std::chrono::hours(1);
  std::optional<ReadCombiner> combiner_;
};

TEST_F(ReadCombinerTest, WhoWaitsGoesTogetherAndGetsItsOwnBytes) {
  const std::vector<std::string> results = ReadTogether(40);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(results[i], i == 13 ? std::to_string(ESTALE) : std::string(4096, static_cast<char>('a' + i % 26))) << i;
  }
  EXPECT_EQ(largest_, ReadCombiner::kMostRanges);
  EXPECT_LT(alone_, 10);
}

TEST_F(ReadCombinerTest, WhatTheAgentDidNotComeToIsAskedForAlone) {
  answered_ = 1;
  const std::vector<std::string> results = ReadTogether(12);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(results[i], std::string(4096, static_cast<char>('a' + i % 26))) << i;
  EXPECT_GT(alone_, 2);
}

TEST_F(ReadCombinerTest, AFailedCallIsTheLeadersAlone) {
  failure_ = EINTR;
  fails_once_ = true;
  const std::vector<std::string> results = ReadTogether(12);
  int failed = 0;
  for (int i = 0; i < 12; ++i) {
    if (results[i] == std::to_string(EINTR)) {
      ++failed;
    } else {
      EXPECT_EQ(results[i], std::string(4096, static_cast<char>('a' + i % 26))) << i;
    }
  }
  EXPECT_EQ(failed, 1);
}

TEST_F(ReadCombinerTest, WhoIsStoppedLeavesAndNobodyIsHeldUp) {
  Combiner();
  std::stop_source stop;
  CallContext stopped;
  stopped.stop = stop.get_token();
  std::thread first([&] { EXPECT_TRUE(Read({}, {HandleId{0}, 0, 10}).ok()); });
  std::thread second([&] { EXPECT_TRUE(Read({}, {HandleId{1}, 1, 10}).ok()); });
  AwaitArrived(2);
  std::thread third([&] { EXPECT_EQ(ToErrno(Read(stopped, {HandleId{2}, 2, 10}).status()), EINTR); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  stop.request_stop();
  third.join();
  Open();
  first.join();
  second.join();
  EXPECT_TRUE(Read({}, {HandleId{3}, 3, 10}).ok());
}

TEST_F(ReadCombinerTest, CallsThatHangDoNotHoldUpOthers) {
  patience_ = ReadCombiner::kPatience;
  Combiner();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    if (i == 2) AwaitArrived(2);  // else the first call might take the others along
    threads.emplace_back([this, i] {
      const ReadRange range{HandleId{static_cast<uint64_t>(i)}, static_cast<uint64_t>(i), 10};
      EXPECT_TRUE(Read({}, range).ok());
    });
  }
  AwaitArrived(4);  // though none has been answered
  Open();
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ReadCombinerTest, WhoHasWaitedForTheDeadlineWithOthersDoesNotWaitAnew) {
  failure_ = ETIMEDOUT;
  int failed = 0;
  for (const std::string& result : ReadTogether(12)) failed += result == std::to_string(ETIMEDOUT);
  EXPECT_EQ(failed, static_cast<int>(together_));
}

TEST_F(ReadCombinerTest, OtherCallersGoBySomeoneElsesCallNever) {
  Combiner();
  CallContext other;
  other.caller.uid = 1000;
  std::thread first([&] { EXPECT_TRUE(Read({}, {HandleId{0}, 0, 10}).ok()); });
  std::thread second([&] { EXPECT_TRUE(Read({}, {HandleId{1}, 1, 10}).ok()); });
  AwaitArrived(2);
  std::thread third([&] { EXPECT_TRUE(Read({}, {HandleId{2}, 2, 10}).ok()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::thread fourth([&] { EXPECT_TRUE(Read(other, {HandleId{3}, 3, 10}).ok()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  Open();
  for (std::thread* thread : {&first, &second, &third, &fourth}) thread->join();
  EXPECT_EQ(largest_, 0u);
}

}  // namespace
}  // namespace mirrorfs
