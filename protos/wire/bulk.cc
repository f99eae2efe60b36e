#include "protos/wire/bulk.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <string>
#include <vector>

#include "google/protobuf/io/coded_stream.h"
#include "protos/shared/errno_status.h"
#include "protos/wire/protocol_version.h"
#include "protos/wire/slices.h"

namespace mirrorfs {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr uint32_t kDataTag = (15 << 3) | 2;  // field 15, length-delimited
constexpr size_t kFirstLook = 128;            // almost every head is shorter

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kDelimited = 2, kFixed32 = 5 };

struct Split {
  size_t head_bytes = 0;    // what precedes the data field
  size_t data_offset = 0;   // where the data begins
  uint64_t data_bytes = 0;  // as the field says
};

enum class ScanResult { kFound, kNoData, kNeedMore, kMalformed };

// Steps over one field's value. `prefix` may end in the middle of it.
ScanResult SkipValue(CodedInputStream& input, uint32_t tag, size_t prefix_bytes) {
  uint64_t number = 0;
  switch (tag & 7) {
    case kVarint:
      return input.ReadVarint64(&number) ? ScanResult::kFound : ScanResult::kNeedMore;
    case kFixed64:
      return input.Skip(8) ? ScanResult::kFound : ScanResult::kNeedMore;
    case kFixed32:
      return input.Skip(4) ? ScanResult::kFound : ScanResult::kNeedMore;
    case kDelimited:
      if (!input.ReadVarint64(&number)) return ScanResult::kNeedMore;
      if (number > kMaxBulkHeadBytes) return ScanResult::kMalformed;
      if (number > prefix_bytes - input.CurrentPosition()) return ScanResult::kNeedMore;
      return input.Skip(static_cast<int>(number)) ? ScanResult::kFound : ScanResult::kNeedMore;
    default:
      return ScanResult::kMalformed;
  }
}

// Looks for the data field among the top-level fields that begin in `prefix`, a message's first bytes.
ScanResult FindData(absl::string_view prefix, Split& split) {
  CodedInputStream input(reinterpret_cast<const uint8_t*>(prefix.data()), static_cast<int>(prefix.size()));
  while (true) {
    split.head_bytes = input.CurrentPosition();
    if (split.head_bytes == prefix.size()) return ScanResult::kNoData;
    const uint32_t tag = input.ReadTagNoLastTag();
    if (tag == 0) return ScanResult::kNeedMore;
    if (tag == kDataTag) {
      if (!input.ReadVarint64(&split.data_bytes)) return ScanResult::kNeedMore;
      split.data_offset = input.CurrentPosition();
      return ScanResult::kFound;
    }
    if (const ScanResult result = SkipValue(input, tag, prefix.size()); result != ScanResult::kFound) return result;
  }
}

absl::Status Malformed() { return absl::InvalidArgumentError("a malformed message with bulk data"); }

// `whole` is what the message has in all.
absl::Status SplitMessage(const absl::Cord& whole, std::string& prefix, Split& split) {
  for (size_t look : {kFirstLook, kMaxBulkHeadBytes}) {
    prefix = std::string(whole.Subcord(0, look));
    const bool all = prefix.size() == whole.size();
    switch (FindData(prefix, split)) {
      case ScanResult::kFound:
        if (split.data_bytes != whole.size() - split.data_offset) return Malformed();
        return absl::OkStatus();
      case ScanResult::kNoData:
        if (!all) break;
        split.data_offset = whole.size();
        split.data_bytes = 0;
        return absl::OkStatus();
      case ScanResult::kNeedMore:
        if (all) return Malformed();
        break;
      case ScanResult::kMalformed:
        return Malformed();
    }
  }
  return Malformed();
}

}  // namespace

grpc::ByteBuffer EncodeMessage(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  grpc::Slice slice(size);
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status DecodeMessage(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message) {
  // The reader takes a pointer but leaves the buffer as it is.
  grpc::ProtoBufferReader reader(const_cast<grpc::ByteBuffer*>(&buffer));
  if (!reader.status().ok() || !message.ParseFromZeroCopyStream(&reader)) {
    return absl::InvalidArgumentError("a malformed message");
  }
  return absl::OkStatus();
}

grpc::ByteBuffer EncodeBulk(const google::protobuf::MessageLite& head, const absl::Cord& data) {
  const size_t head_bytes = head.ByteSizeLong();
  const size_t tag_bytes = 1 + CodedOutputStream::VarintSize64(data.size());
  grpc::Slice front(head_bytes + tag_bytes);
  uint8_t* end = head.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(front.begin()));
  end = CodedOutputStream::WriteTagToArray(kDataTag, end);
  CodedOutputStream::WriteVarint64ToArray(data.size(), end);
  std::vector<grpc::Slice> slices;
  slices.push_back(std::move(front));
  AppendSlices(data, slices);
  return grpc::ByteBuffer(slices.data(), slices.size());
}

absl::Status DecodeBulk(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& head, absl::Cord& data) {
  ASSIGN_OR_RETURN(const absl::Cord whole, ShareAsCord(buffer));
  std::string prefix;
  Split split;
  RETURN_IF_ERROR(SplitMessage(whole, prefix, split));
  if (!head.ParseFromArray(prefix.data(), static_cast<int>(split.head_bytes))) return Malformed();
  data = whole.Subcord(split.data_offset, split.data_bytes);
  return absl::OkStatus();
}

}  // namespace mirrorfs
