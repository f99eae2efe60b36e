#include "agent/target/held_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <thread>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {
namespace {

using testing::HasSubstr;

// A process that waits until it is ended.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    if (pid_ != 0) return;
    while (true) ::pause();
  }
  ~Sleeper() {
    if (pid_ > 0) End();
  }
  pid_t pid() const { return pid_; }
  // Dead, and still there as a zombie.
  void Kill() const {
    ::kill(pid_, SIGKILL);
    siginfo_t info;
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  void End() {
    Kill();
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_;
};

TEST(HeldProcessTest, LivesUntilTheProcessIsKilled) {
  Sleeper sleeper;
  const auto process = HeldProcess::Hold(sleeper.pid(), "test");
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_TRUE(process->Alive());
  EXPECT_TRUE(process->OpenRoot().ok());
  sleeper.Kill();
  EXPECT_FALSE(process->Alive());
  EXPECT_EQ(process->OpenRoot().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(HeldProcessTest, AReusedNumberIsNotServed) {
  Sleeper sleeper;
  const pid_t number = sleeper.pid();
  const auto process = HeldProcess::Hold(number, "test");
  ASSERT_TRUE(process.ok()) << process.status();
  sleeper.End();
  // The next process gets the same number.
  std::ofstream next("/proc/sys/kernel/ns_last_pid");
  next << number - 1 << std::flush;
  if (!next) GTEST_SKIP() << "the next pid cannot be chosen here";
  Sleeper other;
  if (other.pid() != number) GTEST_SKIP() << "another process was faster";
  EXPECT_FALSE(process->Alive());
  EXPECT_EQ(process->OpenRoot().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(process->Status().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(HeldProcessTest, AProcessThatHasEndedIsRefused) {
  Sleeper sleeper;
  sleeper.Kill();
  EXPECT_EQ(HeldProcess::Hold(sleeper.pid(), "test").status().code(), absl::StatusCode::kFailedPrecondition);
  const pid_t number = sleeper.pid();
  sleeper.End();
  EXPECT_EQ(HeldProcess::Hold(number, "test").status().code(), absl::StatusCode::kNotFound);
}

TEST(HeldProcessTest, AThreadIsRefused) {
  Mutex mutex;
  std::condition_variable changed;
  pid_t thread_id = 0;
  bool done = false;
  std::thread thread([&] {
    MutexLock lock(mutex);
    thread_id = ::gettid();
    changed.notify_all();
    while (!done) lock.Wait(changed);
  });
  {
    MutexLock lock(mutex);
    while (thread_id == 0) lock.Wait(changed);
  }
  const absl::Status status = HeldProcess::Hold(thread_id, "test").status();
  {
    MutexLock lock(mutex);
    done = true;
  }
  changed.notify_all();
  thread.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is a thread"));
}

TEST(HeldProcessTest, AThreadOfTheKernelIsRefused) {
  constexpr int kKthreadd = 2;
  std::ifstream comm("/proc/2/comm");
  std::string name;
  if (!(comm >> name) || name != "kthreadd") GTEST_SKIP() << "the kernel's threads are not seen from here";
  const absl::Status status = HeldProcess::Hold(kKthreadd, "test").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("thread of the kernel"));
}

TEST(HeldProcessTest, SharesTheUserNamespaceOfItsParent) {
  Sleeper sleeper;
  const auto process = HeldProcess::Hold(sleeper.pid(), "test");
  ASSERT_TRUE(process.ok());
  const auto shared = process->SharesUserNamespace();
  ASSERT_TRUE(shared.ok());
  EXPECT_TRUE(*shared);
}

TEST(HeldProcessTest, AProcessOutsideOfContainersIsNobodys) {
  Sleeper sleeper;
  const auto process = HeldProcess::Hold(sleeper.pid(), "test");
  ASSERT_TRUE(process.ok());
  const auto belongs = process->BelongsTo(std::string(64, 'a'));
  ASSERT_TRUE(belongs.ok()) << belongs.status();
  EXPECT_FALSE(*belongs);
}

}  // namespace
}  // namespace mirrorfs
