#include "fusefs/core/write_queue.h"

#include <utility>

#include "protos/shared/planted_fault.h"
#include "protos/shared/stoppable_wait.h"

namespace mirrorfs {

bool WriteQueue::Full(uint64_t more) const {
  return in_flight_ >= options_.max_in_flight && tail_.size() + more > options_.chunk_bytes;
}

WriteQueue::Verdict WriteQueue::Offer(uint64_t offset, const absl::Cord& data, const std::stop_token& stop) {
  for (;;) {
    {
      MutexLock lock(mutex_);
      const bool continues = offset == stream_end_ && stream_bytes_ >= options_.sequential_after;
      if (!continues || data.size() < options_.smallest_write || !error_.ok()) return Verdict::kNotStream;
      if (!Full(data.size())) {
        if (tail_.empty()) pending_->Begin();  // for as long as there is a tail
        tail_.Append(data);
        stream_end_ += data.size();
        stream_bytes_ += data.size();
        SendIfTime();
        return Verdict::kQueued;
      }
    }
    const bool room = StoppableWait(mutex_, progress_, stop, [&] { return !Full(data.size()) || !error_.ok(); });
    if (!room) return Verdict::kStopped;
  }
}

void WriteQueue::NoteDirectWrite(uint64_t offset, uint64_t size) {
  MutexLock lock(mutex_);
  stream_bytes_ = offset == stream_end_ ? stream_bytes_ + size : size;
  stream_end_ = offset + size;
}

void WriteQueue::SendIfTime() {
  const bool whole = tail_.size() >= options_.chunk_bytes;
  if (in_flight_ == 0 || (whole && in_flight_ < options_.max_in_flight)) SendTail();
}

void WriteQueue::SendTail() {
  if (tail_.empty()) return;
  const uint64_t size = tail_.size();
  absl::Cord data = std::exchange(tail_, absl::Cord());
  ++in_flight_;  // the tail's pending count becomes the request's
  pool_.Submit(std::make_shared<IoTask>([self = shared_from_this(),
                                         offset = stream_end_ - size + (FaultPlanted("queued_write_shifted") ? 1 : 0),
                                         data = std::move(data)]() mutable { self->Send(offset, std::move(data)); }));
}

void WriteQueue::Send(uint64_t offset, absl::Cord data) {
  // Direct callers may have left more than one request's worth.
  absl::Status status;
  while (!data.empty() && status.ok()) {
    absl::Cord part = data.Subcord(0, options_.chunk_bytes);
    const uint64_t size = part.size();
    status = write_(offset, std::move(part));
    offset += size;
    data.RemovePrefix(size);
  }
  Finished(status);
}

void WriteQueue::Finished(const absl::Status& status) {
  MutexLock lock(mutex_);
  if (error_.ok()) error_ = status;
  --in_flight_;
  SendIfTime();
  progress_.notify_all();
  pending_->End();
}

bool WriteQueue::Drain(const std::stop_token& stop) {
  {
    MutexLock lock(mutex_);
    SendTail();
  }
  return StoppableWait(mutex_, progress_, stop, [this] { return in_flight_ == 0; });
}

absl::Status WriteQueue::TakeError() {
  MutexLock lock(mutex_);
  return std::exchange(error_, absl::OkStatus());
}

}  // namespace mirrorfs
