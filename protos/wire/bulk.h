// Bulk data on the wire. ReadReply, ReadManyReply and WriteRequest carry their data in the last field (15), so the
// bytes need never pass through protobuf: what precedes them is serialized or parsed, the data itself is shared, not
// copied. On the wire the message is plain protobuf.
#ifndef MIRRORFS_PROTOS_WIRE_BULK_H_
#define MIRRORFS_PROTOS_WIRE_BULK_H_

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "absl/strings/cord.h"

namespace mirrorfs {

// A whole message, for those without bulk data.
grpc::ByteBuffer EncodeMessage(const google::protobuf::MessageLite& message);
// INVALID_ARGUMENT if it is not one.
absl::Status DecodeMessage(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message);

// `head` (without data) followed by field 15 with `data`, whose memory the buffer shares.
grpc::ByteBuffer EncodeBulk(const google::protobuf::MessageLite& head, const absl::Cord& data);
// The reverse; `data` shares the buffer's memory. INVALID_ARGUMENT if the bytes are malformed, if anything follows the
// data, or if the head is longer than kMaxBulkHeadBytes. Trusts nothing in `buffer`.
absl::Status DecodeBulk(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& head, absl::Cord& data);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_WIRE_BULK_H_
