// Bulk framing: shared memory both ways, plain protobuf on the wire, and nothing that hostile bytes can do.
#include "protos/wire/bulk.h"

#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "mirrorfs/v1/filesystem.pb.h"
#include "protos/wire/protocol_version.h"
#include "protos/wire/slices.h"

namespace mirrorfs {
namespace {

v1::WriteRequest Head() {
  v1::WriteRequest head;
  head.mutable_header()->set_session(0x1234);
  head.mutable_header()->set_sequence(7);
  head.set_handle(42);
  head.set_offset(1 << 20);
  return head;
}

std::string Flat(const grpc::ByteBuffer& buffer) { return std::string(*ShareAsCord(buffer)); }

grpc::ByteBuffer Buffer(const std::string& bytes) {
  grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer InPieces(const std::string& bytes, size_t piece) {
  std::vector<grpc::Slice> slices;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    slices.emplace_back(bytes.data() + at, std::min(piece, bytes.size() - at));
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

TEST(BulkTest, IsPlainProtobuf) {
  const std::string data(100'000, 'd');
  v1::WriteRequest parsed;
  ASSERT_TRUE(parsed.ParseFromString(Flat(EncodeBulk(Head(), absl::Cord(data)))));
  EXPECT_EQ(parsed.handle(), 42u);
  EXPECT_EQ(parsed.data(), data);

  v1::WriteRequest whole = Head();
  whole.set_data(data);
  v1::WriteRequest head;
  absl::Cord decoded;
  ASSERT_TRUE(DecodeBulk(Buffer(whole.SerializeAsString()), head, decoded).ok());
  EXPECT_EQ(decoded, data);
  EXPECT_EQ(head.handle(), 42u);
  EXPECT_TRUE(head.data().empty());
}

TEST(BulkTest, SharesMemoryBothWays) {
  const std::string data(1 << 20, 's');
  const absl::Cord cord = absl::MakeCordFromExternal(data, [] {});
  const grpc::ByteBuffer buffer = EncodeBulk(Head(), cord);
  v1::WriteRequest head;
  absl::Cord decoded;
  ASSERT_TRUE(DecodeBulk(buffer, head, decoded).ok());
  ASSERT_TRUE(decoded.TryFlat().has_value());
  EXPECT_EQ(decoded.TryFlat()->data(), data.data());
}

TEST(BulkTest, MemoryLivesAsLongAsItsLastUser) {
  bool freed = false;
  const std::string data(1 << 20, 'm');
  grpc::ByteBuffer buffer;
  {
    const absl::Cord cord = absl::MakeCordFromExternal(data, [&freed] { freed = true; });
    buffer = EncodeBulk(Head(), cord);
  }
  EXPECT_FALSE(freed);
  buffer.Clear();
  EXPECT_TRUE(freed);
}

TEST(BulkTest, EmptyDataAndNoData) {
  for (const std::string& bytes : {Flat(EncodeBulk(Head(), {})), Head().SerializeAsString(), std::string()}) {
    v1::WriteRequest head;
    absl::Cord data("left over");
    ASSERT_TRUE(DecodeBulk(Buffer(bytes), head, data).ok());
    EXPECT_TRUE(data.empty());
  }
}

TEST(BulkTest, HoweverItIsCut) {
  const std::string bytes = Flat(EncodeBulk(Head(), absl::Cord(std::string(3000, 'c'))));
  for (size_t piece = 1; piece < 600; ++piece) {
    v1::WriteRequest head;
    absl::Cord data;
    ASSERT_TRUE(DecodeBulk(InPieces(bytes, piece), head, data).ok()) << piece;
    EXPECT_EQ(data.size(), 3000u);
    EXPECT_EQ(head.offset(), 1u << 20);
  }
}

TEST(BulkTest, LongHeads) {
  v1::WriteRequest long_head = Head();
  for (uint32_t group = 0; group < 65536; ++group) {
    long_head.mutable_header()->mutable_caller()->add_groups(0xffff0000 + group);
  }
  v1::WriteRequest head;
  absl::Cord data;
  ASSERT_TRUE(DecodeBulk(EncodeBulk(long_head, absl::Cord("data")), head, data).ok());
  EXPECT_EQ(head.header().caller().groups_size(), 65536);
  EXPECT_EQ(data, "data");
}

TEST(BulkTest, EveryTruncationIsRefused) {
  const std::string bytes = Flat(EncodeBulk(Head(), absl::Cord("some data")));
  const size_t head_size = Head().ByteSizeLong();
  for (size_t size = head_size + 1; size < bytes.size(); ++size) {
    v1::WriteRequest head;
    absl::Cord data;
    EXPECT_FALSE(DecodeBulk(Buffer(bytes.substr(0, size)), head, data).ok()) << size;
  }
}

TEST(BulkTest, DataMustBeLast) {
  v1::WriteRequest head;
  absl::Cord data;
  const std::string bytes = Flat(EncodeBulk(Head(), absl::Cord("some data")));
  EXPECT_FALSE(DecodeBulk(Buffer(bytes + bytes), head, data).ok());
  EXPECT_FALSE(DecodeBulk(Buffer(bytes + Head().SerializeAsString()), head, data).ok());
  EXPECT_FALSE(DecodeBulk(Buffer(bytes + '\0'), head, data).ok());
}

TEST(BulkTest, HugeLengthsAreRefused) {
  const std::string head_bytes = Head().SerializeAsString();
  const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
  v1::WriteRequest head;
  absl::Cord data;
  EXPECT_FALSE(DecodeBulk(Buffer(head_bytes + "\x7a" + huge), head, data).ok());  // field 15
  EXPECT_FALSE(DecodeBulk(Buffer(head_bytes + "\x0a" + huge), head, data).ok());  // the header
  EXPECT_FALSE(DecodeBulk(Buffer("\x0a" + huge + std::string(1 << 20, 'x')), head, data).ok());
  EXPECT_FALSE(DecodeBulk(Buffer(std::string(kMaxBulkHeadBytes + 10, '\x10')), head, data).ok());
}

TEST(BulkTest, RandomBytesNeverDoHarm) {
  std::mt19937 random(20261124);
  const std::string valid = Flat(EncodeBulk(Head(), absl::Cord("some data")));
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes = round % 2 == 0 ? valid : std::string(random() % 200, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (round % 2 == 1 || random() % 20 == 0) bytes[i] = static_cast<char>(random());
    }
    v1::WriteRequest head;
    absl::Cord data;
    if (DecodeBulk(Buffer(bytes), head, data).ok()) {
      EXPECT_LE(data.size(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace mirrorfs
