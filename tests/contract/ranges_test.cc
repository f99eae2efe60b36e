// Fallocate, Seek, CopyFileRange.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

constexpr uint64_t kBlock = 65'536;

class RangesContract : public ContractTest {
 protected:
  void SetUp() override {
    ContractTest::SetUp();
    content_ = Pattern(4 * kBlock);
    WriteNative("file", content_);
    handle_ = OpenFile("file", kReadWrite);
  }
  std::string Fallocate(FallocateMode mode, bool keep_size, uint64_t offset, uint64_t length) {
    return Error(fs().Fallocate(call_, handle_, mode, keep_size, offset, length));
  }
  // Not every file system can do every mode: what it cannot, the test is not about.
  bool Unsupported(const std::string& error) const { return error == "EOPNOTSUPP"; }

  std::string content_;
  HandleId handle_ = HandleId::kNone;
};

TEST_F(RangesContract, AllocateGrows) {
  ASSERT_EQ(Fallocate(FallocateMode::kAllocate, false, 4 * kBlock, kBlock), "OK");
  EXPECT_EQ(StatNative("file").st_size, static_cast<off_t>(5 * kBlock));
  EXPECT_GE(StatNative("file").st_blocks * 512, static_cast<off_t>(5 * kBlock));
  EXPECT_EQ(Stat(handle_).size, 5 * kBlock);
}

TEST_F(RangesContract, AllocateKeepingTheSize) {
  ASSERT_EQ(Fallocate(FallocateMode::kAllocate, true, 4 * kBlock, kBlock), "OK");
  EXPECT_EQ(StatNative("file").st_size, static_cast<off_t>(4 * kBlock));
  EXPECT_GE(StatNative("file").st_blocks * 512, static_cast<off_t>(5 * kBlock));
}

TEST_F(RangesContract, PunchHoleZeroes) {
  ASSERT_EQ(Fallocate(FallocateMode::kPunchHole, true, kBlock + 10, kBlock), "OK");
  content_.replace(kBlock + 10, kBlock, kBlock, '\0');
  EXPECT_TRUE(ReadNative("file") == content_);
  EXPECT_TRUE(ReadFile(handle_, 0, 4 * kBlock) == content_);
}

TEST_F(RangesContract, PunchHoleKeepsTheSizeEvenUnasked) {
  ASSERT_EQ(Fallocate(FallocateMode::kPunchHole, false, 3 * kBlock, 4 * kBlock), "OK");
  EXPECT_EQ(StatNative("file").st_size, static_cast<off_t>(4 * kBlock));
}

TEST_F(RangesContract, ZeroRangeZeroesAndMayGrow) {
  const std::string error = Fallocate(FallocateMode::kZeroRange, false, 3 * kBlock, 2 * kBlock);
  if (Unsupported(error)) return;
  ASSERT_EQ(error, "OK");
  content_.replace(3 * kBlock, kBlock, 2 * kBlock, '\0');
  EXPECT_TRUE(ReadNative("file") == content_);
  ASSERT_EQ(Fallocate(FallocateMode::kZeroRange, true, 4 * kBlock, 4 * kBlock), "OK");
  EXPECT_EQ(StatNative("file").st_size, static_cast<off_t>(5 * kBlock));
}

// FUSE knows neither of these two: the kernel's EOPNOTSUPP is the answer of a mount.
TEST_F(RangesContract, CollapseRangeTakesOut) {
  const std::string error = Fallocate(FallocateMode::kCollapseRange, false, kBlock, kBlock);
  if (Unsupported(error)) return;
  ASSERT_EQ(error, "OK");
  EXPECT_TRUE(ReadNative("file") == content_.erase(kBlock, kBlock));
}

TEST_F(RangesContract, InsertRangePushesApart) {
  const std::string error = Fallocate(FallocateMode::kInsertRange, false, kBlock, kBlock);
  if (Unsupported(error)) return;
  ASSERT_EQ(error, "OK");
  EXPECT_TRUE(ReadNative("file") == content_.insert(kBlock, kBlock, '\0'));
}

TEST_F(RangesContract, FallocateErrors) {
  EXPECT_EQ(Fallocate(FallocateMode::kAllocate, false, 0, 0), "EINVAL");
  EXPECT_TRUE(FailsWithOneOf(fs().Fallocate(call_, handle_, FallocateMode::kAllocate, false, 0, uint64_t{1} << 63),
                             {EINVAL, EFBIG}));
  EXPECT_TRUE(FailsWithOneOf(
      fs().Fallocate(call_, handle_, FallocateMode::kAllocate, false, uint64_t{1} << 62, uint64_t{1} << 62),
      {EINVAL, EFBIG}));
  const HandleId read_only = OpenFile("file", kReadOnly);
  EXPECT_EQ(Error(fs().Fallocate(call_, read_only, FallocateMode::kAllocate, false, 0, 1)), "EBADF");
  EXPECT_TRUE(ReadNative("file") == content_);
}

TEST_F(RangesContract, SeekFindsDataAndHoles) {
  WriteNative("sparse", "");
  ASSERT_EQ(truncate(Path("sparse").c_str(), 6 * kBlock), 0);
  const int fd = open(Path("sparse").c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(pwrite(fd, content_.data(), kBlock, 2 * kBlock), static_cast<ssize_t>(kBlock));
  fsync(fd);
  const auto native = [fd](off_t at, int whence) { return static_cast<uint64_t>(lseek(fd, at, whence)); };
  const HandleId handle = OpenFile("sparse", kReadOnly);
  const auto seek = [&](uint64_t at, SeekWhence whence) {
    auto found = fs().Seek(call_, handle, at, whence);
    return found.ok() ? *found : ~uint64_t{0};
  };
  for (uint64_t at :
       {uint64_t{0}, uint64_t{1}, kBlock, 2 * kBlock, 2 * kBlock + 1, 3 * kBlock - 1, 3 * kBlock, 6 * kBlock - 1}) {
    EXPECT_EQ(seek(at, SeekWhence::kData), native(at, SEEK_DATA)) << at;
    EXPECT_EQ(seek(at, SeekWhence::kHole), native(at, SEEK_HOLE)) << at;
  }
  close(fd);
}

TEST_F(RangesContract, SeekBeyondTheDataIsEnxio) {
  EXPECT_EQ(Error(fs().Seek(call_, handle_, 4 * kBlock, SeekWhence::kData)), "ENXIO");
  EXPECT_EQ(Error(fs().Seek(call_, handle_, 4 * kBlock, SeekWhence::kHole)), "ENXIO");
  EXPECT_EQ(Error(fs().Seek(call_, handle_, uint64_t{1} << 50, SeekWhence::kData)), "ENXIO");
  ASSERT_EQ(truncate(Path("file").c_str(), 0), 0);
  ASSERT_EQ(truncate(Path("file").c_str(), 4 * kBlock), 0);
  EXPECT_EQ(Error(fs().Seek(call_, handle_, 0, SeekWhence::kData)), "ENXIO");
}

TEST_F(RangesContract, SeekAtTheEndOfAFileWithoutHoles) {
  auto hole = fs().Seek(call_, handle_, 5, SeekWhence::kHole);
  ASSERT_EQ(Error(hole), "OK");
  EXPECT_EQ(*hole, 4 * kBlock);
}

TEST_F(RangesContract, CopyFileRangeCopies) {
  WriteNative("copy", "");
  const HandleId copy = OpenFile("copy", kReadWrite);
  uint64_t done = 0;
  while (done < 3 * kBlock) {
    auto copied = fs().CopyFileRange(call_, handle_, 7 + done, copy, 11 + done, 3 * kBlock - done);
    ASSERT_EQ(Error(copied), "OK");
    ASSERT_GT(*copied, 0u);
    done += *copied;
  }
  EXPECT_TRUE(ReadNative("copy") == std::string(11, '\0') + content_.substr(7, 3 * kBlock));
  EXPECT_EQ(Stat(copy).size, 11 + 3 * kBlock);
}

TEST_F(RangesContract, CopyFileRangeEndsAtTheEndOfTheSource) {
  WriteNative("copy", "");
  const HandleId copy = OpenFile("copy", kReadWrite);
  auto copied = fs().CopyFileRange(call_, handle_, 4 * kBlock - 3, copy, 0, 100);
  ASSERT_EQ(Error(copied), "OK");
  EXPECT_EQ(*copied, 3u);
  copied = fs().CopyFileRange(call_, handle_, 4 * kBlock, copy, 0, 100);
  ASSERT_EQ(Error(copied), "OK");
  EXPECT_EQ(*copied, 0u);
}

TEST_F(RangesContract, CopyFileRangeWithinAFile) {
  auto copied = fs().CopyFileRange(call_, handle_, 0, handle_, 2 * kBlock, kBlock);
  ASSERT_EQ(Error(copied), "OK");
  EXPECT_EQ(ReadNative("file").substr(2 * kBlock, *copied), content_.substr(0, *copied));
  EXPECT_EQ(Error(fs().CopyFileRange(call_, handle_, 0, handle_, 10, kBlock)), "EINVAL") << "the ranges overlap";
}

TEST_F(RangesContract, CopyFileRangeErrors) {
  WriteNative("copy", "");
  const HandleId read_only = OpenFile("copy", kReadOnly);
  const HandleId write_only = OpenFile("copy", kWriteOnly);
  const HandleId append = OpenFile("copy", {.write = true, .append = true});
  EXPECT_EQ(Error(fs().CopyFileRange(call_, handle_, 0, read_only, 0, 10)), "EBADF");
  EXPECT_EQ(Error(fs().CopyFileRange(call_, write_only, 0, handle_, 0, 10)), "EBADF");
  EXPECT_EQ(Error(fs().CopyFileRange(call_, handle_, 0, append, 0, 10)), "EBADF");
  EXPECT_EQ(Error(fs().CopyFileRange(call_, handle_, 0, HandleId{4711}, 0, 10)), "EBADF");
}

}  // namespace
}  // namespace mirrorfs
