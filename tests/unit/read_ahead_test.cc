#include "fusefs/core/read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// A file of a known pattern that counts what is asked of it.
class ReadAheadTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kChunk = 4096;

  absl::StatusOr<absl::Cord> Serve(uint64_t offset, uint32_t size) {
    ++calls;
    std::string data;
    for (uint64_t at = offset; at < std::min<uint64_t>(offset + size, file_size.load()); ++at) data += Byte(at);
    return absl::Cord(data);
  }
  static char Byte(uint64_t at) { return static_cast<char>('a' + (at * 7 + at / kChunk) % 26); }
  std::string Expected(uint64_t offset, uint64_t size) const {
    std::string data;
    for (uint64_t at = offset; at < std::min<uint64_t>(offset + size, file_size.load()); ++at) data += Byte(at);
    return data;
  }
  std::string Read(uint64_t offset, uint32_t size) {
    const auto read = [this](uint64_t from, uint32_t count) { return Serve(from, count); };
    const auto streamed = ahead.Read(offset, size, {}, read);
    const absl::StatusOr<absl::Cord> data = streamed ? *streamed : read(offset, size);
    return data.ok() ? std::string(*data) : data.status().ToString();
  }

  std::atomic<uint64_t> file_size{10 * kChunk + 100};
  std::atomic<int> calls{0};
  std::atomic<Instant> changed_at{0};
  IoPool pool{4};
  ReadAhead ahead{{.chunk_bytes = kChunk, .max_chunks = 4, .sequential_after = 1024},
                  pool,
                  [this](uint64_t offset, uint32_t size) { return Serve(offset, size); },
                  [this](Instant since) { return changed_at.load() >= since; }};
};

TEST_F(ReadAheadTest, ASequentialReaderGetsEveryByteInFewCalls) {
  std::string all;
  for (uint64_t offset = 0; offset < file_size; offset += 512) all += Read(offset, 512);
  EXPECT_EQ(all, Expected(0, file_size));
  // A few before it is a stream, then one a chunk, and one that makes sure of the end.
  EXPECT_LE(calls.load(), 16);
}

TEST_F(ReadAheadTest, ScatteredReadsAskForJustWhatIsWanted) {
  for (const uint64_t offset : {9u * kChunk, 2u * kChunk, 7u * kChunk, 0u, 5u * kChunk}) {
    EXPECT_EQ(Read(offset, 100), Expected(offset, 100));
  }
  EXPECT_EQ(calls.load(), 5);
}

TEST_F(ReadAheadTest, AFileThatGrewIsNotCutShort) {
  for (uint64_t offset = 0; offset < file_size; offset += 512) Read(offset, 512);
  const uint64_t old_size = file_size;
  file_size = old_size + 1000;
  EXPECT_EQ(Read(old_size - 100, 512), Expected(old_size - 100, 512));
}

TEST_F(ReadAheadTest, WhatChangedIsFetchedAgain) {
  for (uint64_t offset = 0; offset < 2 * kChunk; offset += 512) Read(offset, 512);
  const int before = calls;
  changed_at = Now();
  EXPECT_EQ(Read(2 * kChunk, 512), Expected(2 * kChunk, 512));
  EXPECT_GT(calls.load(), before);
}

TEST_F(ReadAheadTest, BeyondTheEndThereIsNothing) {
  EXPECT_EQ(Read(file_size, 512), "");
  EXPECT_EQ(Read(file_size + kChunk * 3, 512), "");
}

TEST_F(ReadAheadTest, ReadsAcrossChunkEdgesAreWhole) {
  for (uint64_t offset = 0; offset < 2 * kChunk; offset += 512) Read(offset, 512);
  EXPECT_EQ(Read(2 * kChunk - 10, kChunk + 20), Expected(2 * kChunk - 10, kChunk + 20));
}

TEST(ReadAheadErrors, AnErrorOfAFetchAheadIsAskedForAgainByTheReader) {
  IoPool pool(2);
  std::atomic<bool> broken{true};
  const auto serve = [&](uint64_t, uint32_t size) -> absl::StatusOr<absl::Cord> {
    if (broken) return ErrnoStatus(EIO);
    return absl::Cord(std::string(size, 'x'));
  };
  ReadAhead ahead({.chunk_bytes = 4096, .max_chunks = 2, .sequential_after = 0}, pool, serve,
                  [](Instant) { return false; });
  const auto failed = ahead.Read(0, 100, {}, serve);
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(ToErrno(failed->status()), EIO);
  broken = false;
  const auto data = ahead.Read(0, 100, {}, serve);
  ASSERT_TRUE(data.has_value() && data->ok());
  EXPECT_EQ((*data)->size(), 100u);
}

}  // namespace
}  // namespace mirrorfs
