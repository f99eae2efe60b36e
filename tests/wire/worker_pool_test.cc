// Lanes, limits and expiry.
#include "agent/service/worker_pool.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "agent/service/token.h"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

class Task : public WorkerTask {
 public:
  Task(std::function<void()> run, std::function<void()> expire, absl::Time deadline = absl::InfiniteFuture())
      : run_(std::move(run)), expire_(std::move(expire)), deadline_(deadline) {}
  void Run() override { run_(); }
  void Expire() override { expire_(); }
  absl::Time Deadline() const override { return deadline_; }

 private:
  std::function<void()> run_;
  std::function<void()> expire_;
  absl::Time deadline_;
};

void Nothing() {}

// Keeps its workers until it is opened.
class Gate {
 public:
  std::function<void()> Task() {
    return [this] {
      entered_.fetch_add(1);
      entered_.notify_all();
      open_.wait(false);
    };
  }
  void WaitFor(int entered) {
    for (int now = entered_; now < entered; now = entered_) entered_.wait(now);
  }
  int Entered() const { return entered_; }
  void Open() {
    open_ = true;
    open_.notify_all();
  }

 private:
  std::atomic<int> entered_ = 0;
  std::atomic<bool> open_ = false;
};

TEST(WorkerPoolTest, AHungDeviceLeavesWorkersToOthers) {
  Gate gate;
  WorkerPool pool({.max_threads = 8, .max_per_device = 3});
  for (int i = 0; i < 20; ++i) pool.Submit({1, 7}, std::make_unique<Task>(gate.Task(), Nothing));
  gate.WaitFor(3);
  std::promise<void> done;
  pool.Submit({1, 8}, std::make_unique<Task>([&] { done.set_value(); }, Nothing));
  done.get_future().wait();
  EXPECT_EQ(gate.Entered(), 3);
  gate.Open();
}

TEST(WorkerPoolTest, SessionsAreServedInTurn) {
  Gate gate;
  WorkerPool pool({.max_threads = 1, .max_per_device = 1});
  pool.Submit({1, 7}, std::make_unique<Task>(gate.Task(), Nothing));
  gate.WaitFor(1);
  std::vector<int> order;
  std::promise<void> done;
  for (int i = 0; i < 5; ++i) pool.Submit({1, 7}, std::make_unique<Task>([&] { order.push_back(1); }, Nothing));
  pool.Submit({2, 7}, std::make_unique<Task>([&] { order.push_back(2); }, Nothing));
  pool.Submit({1, 7}, std::make_unique<Task>([&] { done.set_value(); }, Nothing));
  gate.Open();
  done.get_future().wait();
  ASSERT_EQ(order.size(), 6u);
  EXPECT_TRUE(order[0] == 2 || order[1] == 2);
}

TEST(WorkerPoolTest, LateTasksExpireThoughNobodyComesToThem) {
  Gate gate;
  WorkerPool pool({.max_threads = 2, .max_per_device = 1});
  pool.Submit({1, 7}, std::make_unique<Task>(gate.Task(), Nothing));
  gate.WaitFor(1);
  const absl::Time now = absl::Now();
  int expired = 0;
  int run = 0;
  std::promise<void> done;
  pool.Submit({1, 7}, std::make_unique<Task>([&] { ++run; }, [&] { ++expired; }, now));
  pool.Submit({1, 7}, std::make_unique<Task>([&] { done.set_value(); }, [&] { ++expired; }, now + absl::Hours(1)));
  pool.ExpireWaiting(now + absl::Seconds(1));
  EXPECT_EQ(expired, 1);
  gate.Open();
  done.get_future().wait();
  EXPECT_EQ(run, 0);
}

TEST(WorkerPoolTest, StoppingExpiresWhatWaitsAndWhatComes) {
  Gate gate;
  int expired = 0;
  {
    WorkerPool pool({.max_threads = 1, .max_per_device = 1});
    pool.Submit({1, 7}, std::make_unique<Task>(gate.Task(), Nothing));
    gate.WaitFor(1);
    pool.Submit({1, 7}, std::make_unique<Task>(Nothing, [&] { ++expired; }));
    pool.Stop();
    pool.Submit({1, 7}, std::make_unique<Task>(Nothing, [&] { ++expired; }));
    gate.Open();
  }
  EXPECT_EQ(expired, 2);
}

std::thread::id ThreadOf(WorkerPool& pool, WorkerPool::Lane lane) {
  std::promise<std::thread::id> ran;
  pool.RunOrSubmit(lane, std::make_unique<Task>([&] { ran.set_value(std::this_thread::get_id()); }, Nothing));
  return ran.get_future().get();
}

TEST(WorkerPoolTest, ALoneQuickTaskRunsWhereItCame) {
  WorkerPool pool({.max_threads = 4, .max_per_device = 2});
  EXPECT_EQ(ThreadOf(pool, {1, 7}), std::this_thread::get_id());
  Gate gate;
  pool.Submit({1, 8}, std::make_unique<Task>(gate.Task(), Nothing));
  gate.WaitFor(1);
  EXPECT_NE(ThreadOf(pool, {1, 7}), std::this_thread::get_id());
  gate.Open();
}

TEST(WorkerPoolTest, AFileSystemThatWasSlowIsLeftToWorkersForAWhile) {
  WorkerPool pool({.max_threads = 4, .max_per_device = 2});
  const auto sleep = [] { std::this_thread::sleep_for(std::chrono::milliseconds(3)); };
  pool.RunOrSubmit({1, 7}, std::make_unique<Task>(sleep, Nothing));
  EXPECT_NE(ThreadOf(pool, {1, 7}), std::this_thread::get_id());
  // Another one is not, once the worker has nothing to do any more.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(ThreadOf(pool, {1, 8}), std::this_thread::get_id());
  EXPECT_EQ(ThreadOf(pool, {1, 7}), std::this_thread::get_id());
}

TEST(WorkerPoolTest, AStoppedPoolRunsNothingOnTheCallersThreadEither) {
  WorkerPool pool({.max_threads = 1, .max_per_device = 1});
  pool.Stop();
  bool expired = false;
  pool.RunOrSubmit({1, 7}, std::make_unique<Task>([] { ADD_FAILURE(); }, [&] { expired = true; }));
  EXPECT_TRUE(expired);
}

TEST(TokenTest, OnlyTheSameIsEqual) {
  EXPECT_TRUE(TokensEqual("0123456789abcdef", "0123456789abcdef"));
  EXPECT_FALSE(TokensEqual("0123456789abcdef", "0123456789abcdeg"));
  EXPECT_FALSE(TokensEqual("0123456789abcdef", ""));
  EXPECT_FALSE(TokensEqual("0123456789abcdef", "0123456789abcdef0"));
}

}  // namespace
}  // namespace mirrorfs
