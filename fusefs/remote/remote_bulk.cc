// Read and Write: their data goes around protobuf, on channels of its own.
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "fusefs/remote/remote_file_system.h"
#include "protos/shared/planted_fault.h"
#include "protos/wire/bulk.h"
#include "protos/wire/convert_attributes.h"

namespace mirrorfs {
namespace {

// What is smaller does not wait behind bulk data, and does not hold up others.
constexpr size_t kSmallTransfer = 16 << 10;

constexpr char kReadPath[] = "/mirrorfs.v1.FileSystem/Read";
constexpr char kWritePath[] = "/mirrorfs.v1.FileSystem/Write";

grpc::Status SendBytes(grpc::Channel& channel, const char* path, grpc::ClientContext& client,
                       const grpc::ByteBuffer& request, grpc::ByteBuffer& reply) {
  const grpc::internal::RpcMethod method(path, grpc::internal::RpcMethod::NORMAL_RPC);
  reply.Clear();
  return grpc::internal::BlockingUnaryCall(&channel, method, &client, request, &reply);
}

grpc::Channel& ChannelFor(Channels& channels, size_t bytes) {
  return bytes <= kSmallTransfer ? channels.Small() : channels.Bulk();
}

}  // namespace

absl::StatusOr<absl::Cord> RemoteFileSystem::Read(const CallContext& context, HandleId handle, uint64_t offset,
                                                  uint32_t size) {
  RETURN_IF_ERROR(handles_.Check(handle));
  if (size <= facts_.max_read) return ReadChunk(context, handle, offset, size);
  absl::Cord all;
  while (all.size() < size) {
    const uint32_t wanted = std::min(size - static_cast<uint32_t>(all.size()), facts_.max_read);
    ASSIGN_OR_RETURN(const absl::Cord chunk, ReadChunk(context, handle, offset + all.size(), wanted));
    all.Append(chunk);
    if (chunk.size() < wanted) break;
  }
  return all;
}

absl::StatusOr<absl::Cord> RemoteFileSystem::ReadChunk(const CallContext& context, HandleId handle, uint64_t offset,
                                                       uint32_t size) {
  v1::ReadRequest request;
  request.set_handle(ToNumber(handle));
  request.set_offset(offset);
  request.set_size(size);
  grpc::ByteBuffer answer;
  RETURN_IF_ERROR(caller_
                      .Run(Method::kRead, context, *request.mutable_header(),
                           [&](grpc::ClientContext& client) {
                             return SendBytes(ChannelFor(caller_.Connections(), size), kReadPath, client,
                                              EncodeMessage(request), answer);
                           })
                      .status());
  v1::ReadReply head;
  absl::Cord data;
  if (const absl::Status decoded = DecodeBulk(answer, head, data); !decoded.ok()) {
    return caller_.Lie(Method::kRead, decoded);
  }
  RETURN_IF_ERROR(caller_.CheckHeader(Method::kRead, head.header()));
  if (data.size() > size) return caller_.Lie(Method::kRead, absl::InternalError("more data than was asked for"));
  caller_.Counters().BytesReceived(Method::kRead, data.size());
  if (FaultPlanted("long_read_short") && data.size() > 100000) data.RemoveSuffix(1);
  return data;
}

absl::StatusOr<Written> RemoteFileSystem::Write(const CallContext& context, HandleId handle, uint64_t offset,
                                                absl::Cord data) {
  RETURN_IF_ERROR(handles_.Check(handle));
  Written written;
  do {
    const absl::Cord chunk = data.Subcord(written.bytes, facts_.max_write);
    absl::StatusOr<Written> done = WriteChunk(context, handle, offset + written.bytes, chunk);
    // What was written before counts; the error comes again with the next write.
    if (!done.ok() && written.bytes > 0) return Written{.bytes = written.bytes};
    if (!done.ok()) return done.status();
    written = {written.bytes + done->bytes, done->attributes};
    if (done->bytes < chunk.size()) break;
  } while (written.bytes < data.size());
  return written;
}

absl::StatusOr<Written> RemoteFileSystem::WriteChunk(const CallContext& context, HandleId handle, uint64_t offset,
                                                     const absl::Cord& data) {
  v1::WriteRequest head;
  head.set_handle(ToNumber(handle));
  head.set_offset(offset);
  grpc::ByteBuffer answer;
  RETURN_IF_ERROR(caller_
                      .Run(Method::kWrite, context, *head.mutable_header(),
                           [&](grpc::ClientContext& client) {
                             caller_.Counters().BytesSent(Method::kWrite, data.size());
                             return SendBytes(ChannelFor(caller_.Connections(), data.size()), kWritePath, client,
                                              EncodeBulk(head, data), answer);
                           })
                      .status());
  v1::WriteReply reply;
  if (const absl::Status decoded = DecodeMessage(answer, reply); !decoded.ok()) {
    return caller_.Lie(Method::kWrite, decoded);
  }
  RETURN_IF_ERROR(caller_.CheckHeader(Method::kWrite, reply.header()));
  if (reply.written() > data.size()) {
    return caller_.Lie(Method::kWrite, absl::InternalError("more was written than was sent"));
  }
  ASSIGN_OR_RETURN(std::optional<Attributes> attributes,
                   caller_.Checked(Method::kWrite, UnpackIfThere(reply.has_attributes(), reply.attributes())));
  return Written{reply.written(), std::move(attributes)};
}

}  // namespace mirrorfs
