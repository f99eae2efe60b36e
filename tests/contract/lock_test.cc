// GetLock and SetLock: among owners of the port, and against locks that this process holds natively.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <thread>

#include "protos/shared/unique_fd.h"
#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

constexpr LockOwner kAlice = LockOwner{0xa11ce};
constexpr LockOwner kBob = LockOwner{0xb0b};

class LockContract : public ContractTest {
 protected:
  void SetUp() override {
    ContractTest::SetUp();
    WriteNative("file", "0123456789");
    handle_ = OpenFile("file", kReadWrite);
    other_ = OpenFile("file", kReadWrite);
    native_.reset(open(Path("file").c_str(), O_RDWR | O_CLOEXEC));
  }
  static LockRange Range(LockType type, uint64_t start = 0, uint64_t end = kLockToEndOfFile) {
    return {.type = type, .start = start, .end = end};
  }
  std::string Lock(HandleId handle, LockOwner owner, const LockRange& range,
                   absl::Duration wait = absl::ZeroDuration()) {
    return Error(fs().SetLock(call_, handle, owner, LockKind::kRange, range, wait));
  }
  std::string Flock(HandleId handle, LockOwner owner, LockType type, absl::Duration wait = absl::ZeroDuration()) {
    return Error(fs().SetLock(call_, handle, owner, LockKind::kFlock, Range(type), wait));
  }
  LockRange Get(HandleId handle, LockOwner owner, const LockRange& range) {
    auto lock = fs().GetLock(call_, handle, owner, range);
    EXPECT_EQ(Error(lock), "OK");
    return lock.ok() ? *lock : LockRange();
  }
  // A lock of this process on an open file of its own, as another process would hold it.
  int NativeLock(short type, off_t start, off_t length) const {
    struct flock lock = {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = start;
    lock.l_len = length;
    return fcntl(native_.get(), F_OFD_SETLK, &lock) == 0 ? 0 : errno;
  }

  HandleId handle_ = HandleId::kNone;
  HandleId other_ = HandleId::kNone;
  UniqueFd native_;
};

TEST_F(LockContract, WriteLocksExcludeEachOther) {
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite)), "EAGAIN");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kRead)), "EAGAIN");
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kUnlock)), "OK");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite)), "OK");
}

TEST_F(LockContract, ReadLocksAreShared) {
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kRead)), "OK");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kRead)), "OK");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite)), "EAGAIN");
}

TEST_F(LockContract, OwnersDoNotExcludeThemselves) {
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kRead)), "OK");
  EXPECT_EQ(Lock(other_, kAlice, Range(LockType::kWrite, 3, 5)), "OK");
}

TEST_F(LockContract, OwnersOfOneHandleAreApart) {
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  EXPECT_EQ(Lock(handle_, kBob, Range(LockType::kWrite)), "EAGAIN");
}

TEST_F(LockContract, RangesThatDoNotOverlap) {
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite, 0, 4)), "OK");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite, 5, 9)), "OK");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite, 4, 4)), "EAGAIN");
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite, 9, kLockToEndOfFile)), "EAGAIN");
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite, 10, kLockToEndOfFile)), "OK");
}

TEST_F(LockContract, UnlockInTheMiddleSplits) {
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite, 0, 9)), "OK");
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kUnlock, 3, 5)), "OK");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite, 3, 5)), "OK");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite, 2, 2)), "EAGAIN");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite, 6, 6)), "EAGAIN");
}

TEST_F(LockContract, UnlockOfNothing) { EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kUnlock)), "OK"); }

TEST_F(LockContract, GetLockTellsWhatIsInTheWay) {
  EXPECT_EQ(Get(other_, kBob, Range(LockType::kWrite)).type, LockType::kUnlock);
  ASSERT_EQ(Lock(handle_, kAlice, Range(LockType::kRead, 10, 19)), "OK");
  const LockRange found = Get(other_, kBob, Range(LockType::kWrite, 15, 100));
  EXPECT_EQ(found.type, LockType::kRead);
  EXPECT_EQ(found.start, 10u);
  EXPECT_EQ(found.end, 19u);
  EXPECT_EQ(Get(other_, kBob, Range(LockType::kRead, 15, 100)).type, LockType::kUnlock);
  EXPECT_EQ(Get(other_, kBob, Range(LockType::kWrite, 20, 100)).type, LockType::kUnlock);
  EXPECT_EQ(Get(handle_, kAlice, Range(LockType::kWrite)).type, LockType::kUnlock) << "one's own";
}

TEST_F(LockContract, GetLockOfALockToTheEnd) {
  ASSERT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite, 5)), "OK");
  const LockRange found = Get(other_, kBob, Range(LockType::kRead, 0));
  EXPECT_EQ(found.type, LockType::kWrite);
  EXPECT_EQ(found.start, 5u);
  EXPECT_EQ(found.end, kLockToEndOfFile);
}

TEST_F(LockContract, DirectionOfTheHandleHolds) {
  EXPECT_EQ(Lock(OpenFile("file", kReadOnly), kAlice, Range(LockType::kWrite)), "EBADF");
  EXPECT_EQ(Lock(OpenFile("file", kWriteOnly), kAlice, Range(LockType::kRead)), "EBADF");
  EXPECT_EQ(Lock(OpenFile("file", kReadOnly), kAlice, Range(LockType::kRead)), "OK");
  EXPECT_EQ(Flock(OpenFile("file", kReadOnly), kBob, LockType::kWrite), "OK") << "flock does not ask";
}

TEST_F(LockContract, RangesThatCannotBe) {
  EXPECT_TRUE(
      FailsWithOneOf(fs().SetLock(call_, handle_, kAlice, LockKind::kRange,
                                  Range(LockType::kWrite, uint64_t{1} << 63, ~uint64_t{0}), absl::ZeroDuration()),
                     {EINVAL, EOVERFLOW}));
  EXPECT_TRUE(FailsWithOneOf(
      fs().SetLock(call_, handle_, kAlice, LockKind::kRange, Range(LockType::kWrite, 10, 5), absl::ZeroDuration()),
      {EINVAL, EOVERFLOW}));
}

TEST_F(LockContract, ReleaseDropsTheLocks) {
  ASSERT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  ASSERT_EQ(Flock(handle_, kAlice, LockType::kWrite), "OK");
  Release(handle_);
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite), absl::Seconds(10)), "OK");
  EXPECT_EQ(Flock(other_, kBob, LockType::kWrite, absl::Seconds(10)), "OK");
  EXPECT_EQ(flock(native_.get(), LOCK_EX | LOCK_NB), -1) << "now it is Bob's";
}

TEST_F(LockContract, ReleaseOfAnotherHandleKeepsTheLock) {
  ASSERT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  Release(other_);
  ReadNative("file");
  EXPECT_EQ(NativeLock(F_WRLCK, 0, 0), EAGAIN);
}

TEST_F(LockContract, SessionsEndDropsTheLocks) {
  ASSERT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  ASSERT_EQ(NativeLock(F_WRLCK, 0, 0), EAGAIN);
  Remake({});
  EXPECT_EQ(NativeLock(F_WRLCK, 0, 0), 0);
}

TEST_F(LockContract, NativeRangeLocksConflict) {
  ASSERT_EQ(NativeLock(F_WRLCK, 2, 3), 0);
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kRead, 4, 4)), "EAGAIN");
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kRead, 5, 5)), "OK");
  const LockRange found = Get(handle_, kAlice, Range(LockType::kWrite));
  EXPECT_EQ(found.type, LockType::kWrite);
  EXPECT_EQ(found.start, 2u);
  EXPECT_EQ(found.end, 4u);
  EXPECT_EQ(NativeLock(F_UNLCK, 0, 0), 0);
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
}

TEST_F(LockContract, LocksAreSeenNatively) {
  ASSERT_EQ(Lock(handle_, kAlice, Range(LockType::kRead, 0, 4)), "OK");
  EXPECT_EQ(NativeLock(F_RDLCK, 0, 0), 0);
  EXPECT_EQ(NativeLock(F_UNLCK, 0, 0), 0);
  EXPECT_EQ(NativeLock(F_WRLCK, 0, 1), EAGAIN);
  EXPECT_EQ(NativeLock(F_WRLCK, 5, 1), 0);
}

TEST_F(LockContract, FlocksConflictWithFlocksOnly) {
  EXPECT_EQ(Flock(handle_, kAlice, LockType::kWrite), "OK");
  EXPECT_EQ(Flock(other_, kBob, LockType::kRead), "EAGAIN");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite)), "OK");
  EXPECT_EQ(flock(native_.get(), LOCK_SH | LOCK_NB), -1);
  EXPECT_EQ(Flock(handle_, kAlice, LockType::kRead), "OK");
  EXPECT_EQ(flock(native_.get(), LOCK_SH | LOCK_NB), 0);
  EXPECT_EQ(Flock(other_, kBob, LockType::kWrite), "EAGAIN");
  EXPECT_EQ(Flock(handle_, kAlice, LockType::kUnlock), "OK");
  EXPECT_EQ(flock(native_.get(), LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(Flock(handle_, kAlice, LockType::kRead), "EAGAIN");
}

TEST_F(LockContract, WaitingEndsWhenTheLockIsFree) {
  ASSERT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  std::thread waiter([this] {
    std::string result;
    do {  // a long wait may be shortened: ask again
      result = Lock(other_, kBob, Range(LockType::kWrite), absl::Seconds(30));
    } while (result == "EAGAIN");
    EXPECT_EQ(result, "OK");
  });
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kUnlock)), "OK");
  waiter.join();
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kRead)), "EAGAIN");
}

TEST_F(LockContract, WaitingEndsWithTheWait) {
  ASSERT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite), absl::Milliseconds(50)), "EAGAIN");
  EXPECT_EQ(Flock(handle_, kAlice, LockType::kWrite), "OK");
  EXPECT_EQ(Flock(other_, kBob, LockType::kRead, absl::Milliseconds(50)), "EAGAIN");
}

TEST_F(LockContract, WaitingForALockHoldsUpNoOtherCall) {
  ASSERT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  std::vector<std::thread> waiters;
  for (int i = 0; i < 12; ++i) {
    waiters.emplace_back([this, i] {
      std::string result;
      do {
        result = Lock(other_, LockOwner{1000u + i}, Range(LockType::kRead), absl::Seconds(30));
      } while (result == "EAGAIN");
      EXPECT_EQ(result, "OK");
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ReadFile(handle_, 0, 100), "0123456789");
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kUnlock)), "OK");
  for (std::thread& waiter : waiters) waiter.join();
}

TEST_F(LockContract, WaitingStopsWhenAsked) {
  ASSERT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  std::stop_source stop;
  std::thread waiter([this, &stop] {
    CallContext stoppable;
    stoppable.stop = stop.get_token();
    std::string result;
    do {
      result =
          Error(fs().SetLock(stoppable, other_, kBob, LockKind::kRange, Range(LockType::kWrite), absl::Seconds(100)));
    } while (result == "EAGAIN" && !stop.stop_requested());
    EXPECT_TRUE(result == "EINTR" || result == "EAGAIN") << result;
  });
  stop.request_stop();
  waiter.join();
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kUnlock)), "OK");
  EXPECT_EQ(NativeLock(F_WRLCK, 0, 0), 0) << "what was stopped must not get the lock later";
}

TEST_F(LockContract, UnlinkedFilesHaveLocksToo) {
  ASSERT_EQ(Error(fs().Unlink(call_, root_, "file")), "OK");
  EXPECT_EQ(Lock(handle_, kAlice, Range(LockType::kWrite)), "OK");
  EXPECT_EQ(Lock(other_, kBob, Range(LockType::kWrite)), "EAGAIN");
  EXPECT_EQ(NativeLock(F_WRLCK, 0, 0), EAGAIN);
}

}  // namespace
}  // namespace mirrorfs
