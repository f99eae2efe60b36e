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
constexpr char kReadManyPath[] = "/mirrorfs.v1.FileSystem/ReadMany";
constexpr char kWritePath[] = "/mirrorfs.v1.FileSystem/Write";

grpc::Status SendBytes(grpc::Channel& channel, const char* path, grpc::ClientContext& client,
                       const grpc::ByteBuffer& request, grpc::ByteBuffer& reply) {
  const grpc::internal::RpcMethod method(path, grpc::internal::RpcMethod::NORMAL_RPC);
  reply.Clear();
  return grpc::internal::BlockingUnaryCall(&channel, method, &client, request, &reply);
}

grpc::Channel& ChannelFor(Line& line, size_t bytes) { return bytes <= kSmallTransfer ? line.Small() : line.Bulk(); }

// One call whose answer carries bulk data; `expected` bytes decide on which channel. The data is not checked yet.
template <typename Request, typename Reply>
absl::Status AskForBytes(RemoteCaller& caller, Method method, const CallContext& context, const char* path,
                         Request& request, size_t expected, Reply& head, absl::Cord& data) {
  grpc::ByteBuffer answer;
  RETURN_IF_ERROR(caller
                      .Run(method, context, *request.mutable_header(),
                           [&](grpc::ClientContext& client) {
                             return SendBytes(ChannelFor(*caller.Connections().Present(), expected), path, client,
                                              EncodeMessage(request), answer);
                           })
                      .status());
  if (const absl::Status decoded = DecodeBulk(answer, head, data); !decoded.ok()) return caller.Lie(method, decoded);
  RETURN_IF_ERROR(caller.CheckHeader(method, head.header()));
  caller.Counters().BytesReceived(method, data.size());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<absl::Cord> RemoteFileSystem::Read(const CallContext& context, HandleId handle, uint64_t offset,
                                                  uint32_t size) {
  RETURN_IF_ERROR(handles_.Check(handle));
  absl::Cord all;
  while (all.size() < size) {
    const uint32_t wanted = std::min(size - static_cast<uint32_t>(all.size()), facts_.max_read);
    ASSIGN_OR_RETURN(const absl::Cord chunk, ReadOne(context, {handle, offset + all.size(), wanted}));
    all.Append(chunk);
    if (chunk.size() < wanted) break;
  }
  return all;
}

void RemoteFileSystem::StartRead(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size,
                                 ReadDone done) {
  if (size > kSmallTransfer) return std::move(done)(Read(context, handle, offset, size));
  if (const absl::Status known = handles_.Check(handle); !known.ok()) return std::move(done)(known);
  small_reads_.Start(context, handles_.NodeOf(handle), {handle, offset, size}, std::move(done));
}

absl::StatusOr<absl::Cord> RemoteFileSystem::ReadOne(const CallContext& context, const ReadRange& range) {
  v1::ReadRequest request;
  request.set_handle(ToNumber(range.handle));
  request.set_offset(range.offset);
  request.set_size(range.size);
  v1::ReadReply head;
  absl::Cord data;
  RETURN_IF_ERROR(AskForBytes(caller_, Method::kRead, context, kReadPath, request, range.size, head, data));
  if (data.size() > range.size) return caller_.Lie(Method::kRead, absl::InternalError("more data than was asked for"));
  if (FaultPlanted("long_read_short") && data.size() > 100000) data.RemoveSuffix(1);
  return data;
}

absl::StatusOr<ReadCombiner::Outcomes> RemoteFileSystem::ReadMany(const CallContext& context,
                                                                  absl::Span<const ReadRange> ranges) {
  v1::ReadManyRequest request;
  size_t expected = 0;
  for (const ReadRange& range : ranges) {
    expected += range.size;
    v1::ReadRange& asked = *request.add_ranges();
    asked.set_handle(ToNumber(range.handle));
    asked.set_offset(range.offset);
    asked.set_size(range.size);
  }
  v1::ReadManyReply head;
  absl::Cord data;
  RETURN_IF_ERROR(AskForBytes(caller_, Method::kReadMany, context, kReadManyPath, request, expected, head, data));
  const auto lie = [&](const char* what) { return caller_.Lie(Method::kReadMany, absl::InternalError(what)); };
  const size_t answered = static_cast<size_t>(head.outcomes_size());
  if (answered == 0 || answered > ranges.size()) return lie("not as many outcomes as ranges");
  ReadCombiner::Outcomes outcomes;
  for (size_t i = 0; i < answered; ++i) {
    const v1::ReadOutcome& outcome = head.outcomes(static_cast<int>(i));
    if (outcome.error() != 0) {
      if (!IsErrno(outcome.error()) || outcome.size() != 0) return lie("an impossible outcome");
      outcomes.emplace_back(ErrnoStatus(outcome.error(), "read"));
      continue;
    }
    if (outcome.size() > ranges[i].size || outcome.size() > data.size()) return lie("a wrong size");
    outcomes.emplace_back(data.Subcord(0, outcome.size()));
    data.RemovePrefix(outcome.size());
  }
  if (!data.empty()) return lie("more data than was asked for");
  return outcomes;
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
                             return SendBytes(ChannelFor(*caller_.Connections().Present(), data.size()), kWritePath,
                                              client, EncodeBulk(head, data), answer);
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
