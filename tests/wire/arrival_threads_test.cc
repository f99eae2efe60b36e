// One thread at a time takes what arrives, and none waits behind what hangs.
#include "agent/service/arrival_threads.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

// Arrivals that the test makes.
class Arrivals {
 public:
  void Add(std::function<void()> serve) {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(new std::function<void()>(std::move(serve)));
    changed_.notify_all();
  }
  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  void* Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_FALSE(taking_) << "two threads at once";
    taking_ = true;
    changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
    taking_ = false;
    if (waiting_.empty()) return nullptr;
    std::function<void()>* const first = waiting_.front();
    waiting_.pop_front();
    return first;
  }
  static void Serve(void* arrival) {
    const std::unique_ptr<std::function<void()>> serve(static_cast<std::function<void()>*>(arrival));
    (*serve)();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>*> waiting_;
  bool over_ = false;
  bool taking_ = false;
};

class ArrivalThreadsTest : public ::testing::Test {
 protected:
  std::thread::id ServedBy() {
    std::promise<std::thread::id> served;
    arrivals.Add([&] { served.set_value(std::this_thread::get_id()); });
    return served.get_future().get();
  }
  void End() {
    arrivals.End();
    threads.reset();
  }

  Arrivals arrivals;
  std::optional<ArrivalThreads> threads{std::in_place, [this] { return arrivals.Next(); }, &Arrivals::Serve};
};

TEST_F(ArrivalThreadsTest, WhatIsQuickIsServedByOneThread) {
  std::set<std::thread::id> threads;
  for (int i = 0; i < 200; ++i) threads.insert(ServedBy());
  EXPECT_LE(threads.size(), 3u);  // more than one if this machine was busy for a while
  End();
}

TEST_F(ArrivalThreadsTest, NothingWaitsBehindWhatHangs) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  // After a while without anything the watcher sleeps, and must be woken first.
  for (const auto quiet : {std::chrono::milliseconds(0), std::chrono::milliseconds(150)}) {
    std::this_thread::sleep_for(quiet);
    for (int hanging = 0; hanging < 5; ++hanging) {
      arrivals.Add([released] { released.wait(); });
      const auto begun = std::chrono::steady_clock::now();
      ServedBy();
      EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
    }
  }
  release.set_value();
  End();
}

TEST_F(ArrivalThreadsTest, WhoHasLostTheLeadIsOfUseAgain) {
  for (int i = 0; i < 20; ++i) {
    arrivals.Add([] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
    ServedBy();
  }
  std::set<std::thread::id> threads;
  for (int i = 0; i < 100; ++i) threads.insert(ServedBy());
  EXPECT_LE(threads.size(), 4u);
  End();
}

TEST_F(ArrivalThreadsTest, TheEndWaitsForWhatIsServed) {
  std::atomic<bool> done = false;
  std::promise<void> begun;
  arrivals.Add([&] {
    begun.set_value();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    done = true;
  });
  begun.get_future().wait();
  End();
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace mirrorfs
