// Locks against the container's own processes, and among owners of one agent.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

constexpr LockOwner kAlice{1};
constexpr LockOwner kBob{2};

class Locking : public RootfsFixture {
 protected:
  void SetUp() override {
    RootfsFixture::SetUp();
    if (IsSkipped()) return;
    WriteNative("file", "0123456789");
    files_ = Serve();
    node_ = Walk(*files_, "file");
    ASSERT_EQ(Error(files_->Open({}, node_, kReader, {.read = true}, 0)), "OK");
    ASSERT_EQ(Error(files_->Open({}, node_, kWriter, {.read = true, .write = true}, 0)), "OK");
    ASSERT_EQ(Error(files_->Open({}, node_, kWriteOnly, {.write = true}, 0)), "OK");
  }
  void TearDown() override {
    files_.reset();
    RootfsFixture::TearDown();
  }
  std::string Set(HandleId handle, LockOwner owner, LockType type, uint64_t start = 0, uint64_t end = kLockToEndOfFile,
                  uint32_t pid = 0) {
    return Error(files_->SetLock({}, handle, owner, LockKind::kRange, {type, start, end, pid}, {}));
  }
  std::string Flock(HandleId handle, LockOwner owner, LockType type) {
    return Error(files_->SetLock({}, handle, owner, LockKind::kFlock, {type}, {}));
  }
  // What another process gets for a POSIX lock (F_SETLK) or flock.
  int InAnotherProcess(const std::function<int(int fd)>& lock) {
    const pid_t child = fork();
    if (child == 0) {
      const int fd = open(Path("file").c_str(), O_RDWR);
      _exit(lock(fd) == 0 ? 0 : errno);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }
  int PosixLockElsewhere(short type, off_t start, off_t length) {
    return InAnotherProcess([=](int fd) {
      struct flock lock = {};
      lock.l_type = type;
      lock.l_start = start;
      lock.l_len = length;
      return fcntl(fd, F_SETLK, &lock);
    });
  }

  static constexpr HandleId kReader{1};
  static constexpr HandleId kWriter{2};
  static constexpr HandleId kWriteOnly{3};
  std::unique_ptr<RootedFilesystem> files_;
  NodeId node_ = NodeId::kInvalid;
};

TEST_F(Locking, TheContainersProcessesMeetThem) {
  ASSERT_EQ(Set(kWriter, kAlice, LockType::kWrite, 0, 4), "OK");
  EXPECT_EQ(PosixLockElsewhere(F_RDLCK, 4, 1), EAGAIN);
  EXPECT_EQ(PosixLockElsewhere(F_WRLCK, 5, 1), 0);
  ASSERT_EQ(Set(kWriter, kAlice, LockType::kUnlock, 0, 4), "OK");
  EXPECT_EQ(PosixLockElsewhere(F_WRLCK, 0, 0), 0);
  ASSERT_EQ(Flock(kWriter, kAlice, LockType::kWrite), "OK");
  EXPECT_EQ(InAnotherProcess([](int fd) { return flock(fd, LOCK_SH | LOCK_NB); }), EAGAIN);
  ASSERT_EQ(Flock(kWriter, kAlice, LockType::kRead), "OK");
  EXPECT_EQ(InAnotherProcess([](int fd) { return flock(fd, LOCK_SH | LOCK_NB); }), 0);
}

TEST_F(Locking, TheyMeetTheContainersProcesses) {
  int go[2], done[2];
  ASSERT_EQ(pipe(go), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(done[1]);
    const int fd = open(Path("file").c_str(), O_RDWR);
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_start = 2;
    lock.l_len = 3;
    char byte = static_cast<char>(fcntl(fd, F_SETLK, &lock));
    (void)!write(go[1], &byte, 1);
    (void)!read(done[0], &byte, 1);
    _exit(0);
  }
  char byte = 1;
  ASSERT_EQ(read(go[0], &byte, 1), 1);
  ASSERT_EQ(byte, 0);
  EXPECT_EQ(Set(kWriter, kAlice, LockType::kRead, 4, 4), "EAGAIN");
  EXPECT_EQ(Set(kWriter, kAlice, LockType::kRead, 5, 5), "OK");
  const auto conflict = files_->GetLock({}, kReader, kBob, {LockType::kRead, 0, 100});
  ASSERT_EQ(Error(conflict), "OK");
  EXPECT_EQ(conflict->type, LockType::kWrite);
  EXPECT_EQ(conflict->start, 2u);
  EXPECT_EQ(conflict->end, 4u);
  EXPECT_EQ(conflict->pid, static_cast<uint32_t>(child));
  close(done[0]);
  close(done[1]);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(Set(kWriter, kAlice, LockType::kRead, 4, 4), "OK");
  close(go[0]);
  close(go[1]);
}

TEST_F(Locking, OwnersConflictWithEachOtherAndNotWithThemselves) {
  ASSERT_EQ(Set(kWriter, kAlice, LockType::kWrite, 0, 4, 4711), "OK");
  EXPECT_EQ(Set(kWriter, kAlice, LockType::kRead, 2, 3), "OK");
  EXPECT_EQ(Set(kWriter, kBob, LockType::kRead, 2, 3), "OK");
  EXPECT_EQ(Set(kWriter, kBob, LockType::kRead, 0, 3), "EAGAIN");
  const auto conflict = files_->GetLock({}, kWriter, kBob, {LockType::kWrite, 0, 0});
  EXPECT_EQ(conflict->type, LockType::kWrite);
  EXPECT_EQ(conflict->pid, 4711u);
  EXPECT_EQ(files_->GetLock({}, kWriter, kAlice, {LockType::kWrite, 0, 1})->type, LockType::kUnlock);
}

TEST_F(Locking, TheHandlesAccessModeCounts) {
  EXPECT_EQ(Set(kReader, kAlice, LockType::kWrite), "EBADF");
  EXPECT_EQ(Set(kWriteOnly, kAlice, LockType::kRead), "EBADF");
  EXPECT_EQ(Set(kReader, kAlice, LockType::kRead), "OK");
  EXPECT_EQ(Set(kWriteOnly, kBob, LockType::kWrite), "EAGAIN");
}

TEST_F(Locking, AReadLockBecomesAWriteLockThroughAnotherHandle) {
  ASSERT_EQ(Set(kReader, kAlice, LockType::kRead, 0, 4), "OK");
  ASSERT_EQ(Set(kReader, kAlice, LockType::kRead, 10, 19), "OK");
  ASSERT_EQ(Set(kWriter, kAlice, LockType::kWrite, 0, 2), "OK");
  EXPECT_EQ(PosixLockElsewhere(F_RDLCK, 0, 3), EAGAIN);
  EXPECT_EQ(PosixLockElsewhere(F_RDLCK, 3, 2), 0);
  EXPECT_EQ(PosixLockElsewhere(F_WRLCK, 4, 1), EAGAIN);
  EXPECT_EQ(PosixLockElsewhere(F_WRLCK, 15, 1), EAGAIN);
  EXPECT_EQ(PosixLockElsewhere(F_WRLCK, 5, 5), 0);
}

TEST_F(Locking, ReleasingAHandleDropsWhatWasLockedThroughItAlone) {
  ASSERT_EQ(Set(kWriter, kAlice, LockType::kWrite, 0, 0), "OK");
  ASSERT_EQ(Set(kReader, kBob, LockType::kRead, 5, 5), "OK");
  ASSERT_EQ(Flock(kWriter, kAlice, LockType::kWrite), "OK");
  const HandleId writer = kWriter;
  files_->Release({&writer, 1});
  EXPECT_EQ(PosixLockElsewhere(F_WRLCK, 0, 1), 0);
  EXPECT_EQ(InAnotherProcess([](int fd) { return flock(fd, LOCK_EX | LOCK_NB); }), 0);
  EXPECT_EQ(PosixLockElsewhere(F_WRLCK, 5, 1), EAGAIN);
}

TEST_F(Locking, AFailedFlockConversionLosesTheLockAsInTheKernel) {
  ASSERT_EQ(Flock(kWriter, kAlice, LockType::kRead), "OK");
  ASSERT_EQ(Flock(kReader, kBob, LockType::kRead), "OK");
  EXPECT_EQ(Flock(kWriter, kAlice, LockType::kWrite), "EAGAIN");
  EXPECT_EQ(Flock(kReader, kBob, LockType::kWrite), "OK");
}

TEST_F(Locking, DirectoriesCanBeFlocked) {
  ASSERT_EQ(Error(files_->Open({}, NodeId::kRoot, HandleId{10}, {.read = true}, 0)), "OK");
  ASSERT_EQ(Error(files_->Open({}, NodeId::kRoot, HandleId{11}, {.read = true}, 0)), "OK");
  EXPECT_EQ(Flock(HandleId{10}, kAlice, LockType::kWrite), "OK");
  EXPECT_EQ(Flock(HandleId{11}, kBob, LockType::kWrite), "EAGAIN");
  EXPECT_EQ(Error(files_->Open({}, NodeId::kRoot, HandleId{12}, {.write = true}, 0)), "EISDIR");
  EXPECT_EQ(Error(files_->Read({}, HandleId{10}, 0, 1)), "EISDIR");
}

}  // namespace
}  // namespace mirrorfs
