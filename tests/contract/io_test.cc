// Read, Write, Fsync.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kChunk = 1 << 20;

class IoContract : public ContractTest {};

TEST_F(IoContract, ReadsAtEveryEdge) {
  const std::string content = Pattern(2 * kChunk + 17);
  WriteNative("file", content);
  const HandleId handle = OpenFile("file", kReadOnly);
  for (uint64_t at : {uint64_t{0}, uint64_t{1}, uint64_t{4095}, uint64_t{4096}, uint64_t{kChunk - 1}, uint64_t{kChunk},
                      uint64_t{kChunk + 1}, uint64_t{2 * kChunk}, uint64_t{2 * kChunk + 16}}) {
    for (uint32_t size : {1u, 4096u, 4097u, kChunk - 1, kChunk}) {
      ASSERT_TRUE(ReadFile(handle, at, size) == content.substr(at, size)) << at << "+" << size;
    }
  }
}

TEST_F(IoContract, ReadsEndAtTheEnd) {
  WriteNative("file", "0123456789");
  const HandleId handle = OpenFile("file", kReadOnly);
  EXPECT_EQ(ReadFile(handle, 5, 100), "56789");
  EXPECT_EQ(ReadFile(handle, 10, 100), "");
  EXPECT_EQ(ReadFile(handle, 11, 100), "");
  EXPECT_EQ(ReadFile(handle, uint64_t{1} << 40, 100), "");
  EXPECT_EQ(ReadFile(handle, 0, 0), "");
}

TEST_F(IoContract, ReadsOfAnEmptyFile) {
  WriteNative("file", "");
  EXPECT_EQ(ReadFile(OpenFile("file", kReadOnly), 0, kChunk), "");
}

TEST_F(IoContract, ReadsOfHolesAreZeros) {
  WriteNative("file", "");
  ASSERT_EQ(truncate(Path("file").c_str(), 3 * kChunk), 0);
  const HandleId handle = OpenFile("file", kReadWrite);
  WriteFile(handle, kChunk + 5, "data");
  std::string expected(kChunk, '\0');
  expected.replace(5, 4, "data");
  EXPECT_TRUE(ReadFile(handle, kChunk, kChunk) == expected);
  EXPECT_TRUE(ReadFile(handle, 2 * kChunk, kChunk) == std::string(kChunk, '\0'));
}

TEST_F(IoContract, ReadBeyondTheLargestOffsetIsInvalid) {
  WriteNative("file", "x");
  const HandleId handle = OpenFile("file", kReadWrite);
  EXPECT_TRUE(FailsWithOneOf(fs().Read(call_, handle, uint64_t{1} << 63, 1), {EINVAL, EOVERFLOW}));
  EXPECT_TRUE(FailsWithOneOf(fs().Write(call_, handle, ~uint64_t{0}, absl::Cord("x")), {EINVAL, EFBIG, EOVERFLOW}));
  EXPECT_EQ(ReadNative("file"), "x");
}

TEST_F(IoContract, WriteBeyondTheLargestFileIsEfbig) {
  WriteNative("file", "x");
  const HandleId handle = OpenFile("file", kReadWrite);
  EXPECT_EQ(Error(fs().Write(call_, handle, (uint64_t{1} << 63) - 2, absl::Cord("x"))), "EFBIG");
}

TEST_F(IoContract, WritesAtEveryEdge) {
  WriteNative("file", "");
  const HandleId handle = OpenFile("file", kReadWrite);
  std::string expected;
  uint32_t seed = 0;
  for (uint64_t at : {uint64_t{0}, uint64_t{4095}, uint64_t{kChunk - 1}, uint64_t{kChunk}, uint64_t{kChunk + 4097}}) {
    for (uint32_t size : {1u, 4096u, kChunk - 1, kChunk}) {
      const std::string data = Pattern(size, ++seed);
      WriteFile(handle, at, data);
      if (expected.size() < at + size) expected.resize(at + size);
      expected.replace(at, size, data);
    }
  }
  EXPECT_TRUE(ReadNative("file") == expected);
  EXPECT_EQ(Stat(handle).size, expected.size());
}

TEST_F(IoContract, WriteBeyondTheEndLeavesAHole) {
  WriteNative("file", "start");
  const HandleId handle = OpenFile("file", kWriteOnly);
  WriteFile(handle, 20 * kChunk, "end");
  EXPECT_EQ(StatNative("file").st_size, 20 * kChunk + 3);
  EXPECT_LT(StatNative("file").st_blocks, 100);
  EXPECT_EQ(ReadNative("file").substr(0, 7), std::string("start\0\0", 7));
}

TEST_F(IoContract, WriteBeyondFourGigabytes) {
  WriteNative("file", "");
  const uint64_t at = (uint64_t{1} << 32) + 1;
  const HandleId handle = OpenFile("file", kReadWrite);
  WriteFile(handle, at, "far");
  EXPECT_EQ(ReadFile(handle, at, 10), "far");
  EXPECT_EQ(ReadFile(handle, at - (uint64_t{1} << 32), 3), std::string(3, '\0'));
}

TEST_F(IoContract, WriteOfNothingChangesNothing) {
  WriteNative("file", "abc");
  const HandleId handle = OpenFile("file", kReadWrite);
  auto written = fs().Write(call_, handle, 10, absl::Cord());
  ASSERT_EQ(Error(written), "OK");
  EXPECT_EQ(written->bytes, 0u);
  EXPECT_EQ(ReadNative("file"), "abc");
}

TEST_F(IoContract, WriteOfManyPieces) {
  WriteNative("file", "");
  absl::Cord data;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string piece = Pattern(1 + i * 7 % 3000, i);
    absl::Cord cord(piece);
    data.Append(cord);
    expected += piece;
  }
  auto written = fs().Write(call_, OpenFile("file", kReadWrite), 0, data);
  ASSERT_EQ(Error(written), "OK");
  EXPECT_EQ(written->bytes, expected.size());
  EXPECT_TRUE(ReadNative("file") == expected);
}

TEST_F(IoContract, AppendIgnoresTheOffset) {
  WriteNative("file", "one");
  const HandleId handle = OpenFile("file", {.write = true, .append = true});
  WriteFile(handle, 0, " two");
  WriteNative("file", "shorter now:");
  WriteFile(handle, 4711, " three");
  EXPECT_EQ(ReadNative("file"), "shorter now: three");
}

TEST_F(IoContract, TwoAppendingHandlesDoNotOverwrite) {
  WriteNative("file", "");
  const HandleId one = OpenFile("file", {.write = true, .append = true});
  const HandleId two = OpenFile("file", {.write = true, .append = true});
  WriteFile(one, 0, "a");
  WriteFile(two, 0, "b");
  WriteFile(one, 1, "c");
  EXPECT_EQ(ReadNative("file"), "abc");
}

TEST_F(IoContract, DirectionOfTheHandleHolds) {
  WriteNative("file", "content");
  EXPECT_EQ(Error(fs().Write(call_, OpenFile("file", kReadOnly), 0, absl::Cord("x"))), "EBADF");
  EXPECT_EQ(Error(fs().Read(call_, OpenFile("file", kWriteOnly), 0, 10)), "EBADF");
  EXPECT_EQ(ReadNative("file"), "content");
}

TEST_F(IoContract, WritesOfOneHandleAreSeenByTheOther) {
  WriteNative("file", "aaaa");
  const HandleId writer = OpenFile("file", kWriteOnly);
  const HandleId reader = OpenFile("file", kReadOnly);
  EXPECT_EQ(ReadFile(reader, 0, 10), "aaaa");
  WriteFile(writer, 1, "bb");
  EXPECT_EQ(ReadFile(reader, 0, 10), "abba");
}

TEST_F(IoContract, WriteSetsTheTimes) {
  WriteNative("file", "x");
  const timespec past[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(utimensat(0, Path("file").c_str(), past, 0), 0);
  const Attributes before = Find("file").attributes;
  const HandleId handle = OpenFile("file", kWriteOnly);
  WriteFile(handle, 0, "y");
  const Attributes after = Stat(handle);
  EXPECT_GT(after.mtime_ns, before.mtime_ns);
  EXPECT_GT(after.ctime_ns, before.ctime_ns);
}

TEST_F(IoContract, WriteDropsSetuidAndSetgidOfOthers) {
  Remake({.user = Caller{.uid = 4321, .gid = 4321}});
  WriteNative("file", "x");
  ASSERT_EQ(chmod(Path("file").c_str(), 06777), 0);
  WriteFile(OpenFile("file", kWriteOnly), 0, "y");
  EXPECT_EQ(StatNative("file").st_mode & 07777u, 0777u);
}

TEST_F(IoContract, FsyncOfBothKinds) {
  WriteNative("file", "");
  const HandleId handle = OpenFile("file", kReadWrite);
  WriteFile(handle, 0, "data");
  EXPECT_EQ(Error(fs().Fsync(call_, handle, true)), "OK");
  EXPECT_EQ(Error(fs().Fsync(call_, handle, false)), "OK");
  EXPECT_EQ(Error(fs().Fsync(call_, OpenFile("file", kReadOnly), false)), "OK");
}

TEST_F(IoContract, DeadlineInThePastIsTimedOutOrDoneInTime) {
  WriteNative("file", "abc");
  const HandleId handle = OpenFile("file", kReadOnly);
  CallContext late;
  late.deadline = absl::Now() - absl::Seconds(1);
  auto data = fs().Read(late, handle, 0, 10);
  EXPECT_TRUE(data.ok() || Error(data) == "ETIMEDOUT") << Error(data);
  EXPECT_EQ(ReadFile(handle, 0, 10), "abc");
}

}  // namespace
}  // namespace mirrorfs
