// Read and Write, whose data does not pass through protobuf.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/service/handlers.h"
#include "protos/wire/convert_attributes.h"

namespace mirrorfs::handlers {
namespace {

// Many pages that the page cache has take less.
constexpr absl::Duration kReadManyTime = absl::Milliseconds(1);
constexpr int kMostRanges = 64;  // clients send fewer
constexpr size_t kFewBytes = 64 << 10;

class ReadCall : public Call {
 public:
  explicit ReadCall(v1::ReadRequest request) : request_(std::move(request)) {}

  const v1::RequestHeader& Header() const override { return request_.header(); }
  NodeOrHandle Where() const override { return WhereOf(request_); }
  size_t AnswerBytes() const override { return std::min(request_.size(), SessionLimits().max_read); }
  bool IsBrief() const override { return request_.size() <= kFewBytes; }
  std::optional<grpc::ByteBuffer> Run(Session& session, const CallContext& context) override {
    if (request_.size() > session.Limits().max_read) return ErrorAnswer(EINVAL);
    const absl::StatusOr<absl::Cord> data =
        session.Files().Read(context, HandleId{request_.handle()}, request_.offset(), request_.size());
    if (!data.ok()) return ErrorAnswer(ToErrno(data.status()));
    v1::ReadReply head;
    head.mutable_header();
    return EncodeBulk(head, *data);
  }

 private:
  const v1::ReadRequest request_;
};

// Reads one range after the other, for as long as that is quick: who waits for the second must not wait long for the
// first, which a disk may have to fetch.
class ReadManyCall : public Call {
 public:
  explicit ReadManyCall(v1::ReadManyRequest request) : request_(std::move(request)) {}

  const v1::RequestHeader& Header() const override { return request_.header(); }
  NodeOrHandle Where() const override {
    return request_.ranges_size() > 0 ? WhereOf(request_.ranges(0)) : NodeOrHandle{};
  }
  size_t AnswerBytes() const override { return std::min<uint64_t>(Bytes(), SessionLimits().max_read); }
  std::optional<grpc::ByteBuffer> Run(Session& session, const CallContext& context) override {
    const int count = request_.ranges_size();
    if (count == 0 || count > kMostRanges || Bytes() > session.Limits().max_read) return ErrorAnswer(EINVAL);
    v1::ReadManyReply head;
    head.mutable_header();
    absl::Cord all;
    const absl::Time end = absl::Now() + kReadManyTime;
    const uint64_t device = session.Files().DeviceOf(Where());
    for (const v1::ReadRange& range : request_.ranges()) {
      // This call is counted for one device; another one might hang.
      const bool another = session.Files().DeviceOf(WhereOf(range)) != device;
      if (head.outcomes_size() > 0 && (another || absl::Now() > end)) break;
      const absl::StatusOr<absl::Cord> data =
          session.Files().Read(context, HandleId{range.handle()}, range.offset(), range.size());
      v1::ReadOutcome& outcome = *head.add_outcomes();
      outcome.set_error(ToErrno(data.status()));
      if (!data.ok()) continue;
      outcome.set_size(static_cast<uint32_t>(data->size()));
      all.Append(*data);
    }
    return EncodeBulk(head, all);
  }

 private:
  uint64_t Bytes() const {
    uint64_t bytes = 0;
    for (const v1::ReadRange& range : request_.ranges()) bytes += range.size();
    return bytes;
  }

  const v1::ReadManyRequest request_;
};

class WriteCall : public Call {
 public:
  WriteCall(v1::WriteRequest head, absl::Cord data) : head_(std::move(head)), data_(std::move(data)) {}

  const v1::RequestHeader& Header() const override { return head_.header(); }
  NodeOrHandle Where() const override { return WhereOf(head_); }
  bool IsBrief() const override { return data_.size() <= kFewBytes; }
  std::optional<grpc::ByteBuffer> Run(Session& session, const CallContext& context) override {
    if (data_.size() > session.Limits().max_write) return ErrorAnswer(EINVAL);
    const absl::StatusOr<Written> written =
        session.Files().Write(context, HandleId{head_.handle()}, head_.offset(), std::exchange(data_, {}));
    v1::WriteReply answer;
    if (written.ok()) {
      answer.set_written(written->bytes);
      if (written->attributes) Pack(*written->attributes, *answer.mutable_attributes());
    }
    return PackAnswer(written.status(), answer);
  }

 private:
  const v1::WriteRequest head_;
  absl::Cord data_;
};

}  // namespace

ParsedCall ParseRead(const grpc::ByteBuffer& bytes) {
  v1::ReadRequest request;
  RETURN_IF_ERROR(DecodeMessage(bytes, request));
  return std::make_unique<ReadCall>(std::move(request));
}

ParsedCall ParseReadMany(const grpc::ByteBuffer& bytes) {
  v1::ReadManyRequest request;
  RETURN_IF_ERROR(DecodeMessage(bytes, request));
  return std::make_unique<ReadManyCall>(std::move(request));
}

ParsedCall ParseWrite(const grpc::ByteBuffer& bytes) {
  v1::WriteRequest head;
  absl::Cord data;
  RETURN_IF_ERROR(DecodeBulk(bytes, head, data));
  return std::make_unique<WriteCall>(std::move(head), std::move(data));
}

}  // namespace mirrorfs::handlers
