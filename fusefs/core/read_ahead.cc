#include "fusefs/core/read_ahead.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {

uint32_t ReadAhead::Advance(uint64_t offset, uint32_t size) {
  // The kernel's own read-ahead sends neighbouring requests side by side: allow for some disorder.
  const uint64_t slack = options_.chunk_bytes;
  const bool in_stream = offset + slack >= stream_end_ && offset <= stream_end_ + slack;
  if (!in_stream) {
    stream_bytes_ = 0;
    stream_end_ = offset;
    chunks_.clear();
  }
  const uint64_t end = offset + size;
  if (end > stream_end_) {
    // Only what touches the end of the stream makes it longer: scattered reads close together do not.
    if (offset <= stream_end_) stream_bytes_ += end - stream_end_;
    stream_end_ = end;
  }
  if (stream_bytes_ < options_.sequential_after) return 0;
  const uint64_t ahead = 1 + stream_bytes_ / options_.chunk_bytes * 2;
  return static_cast<uint32_t>(std::min<uint64_t>(ahead, options_.max_chunks));
}

ReadAhead::ChunkPtr ReadAhead::Fetch(uint64_t index) {
  auto chunk = std::make_shared<Chunk>();
  chunk->asked_at = Now();
  chunk->task = std::make_shared<IoTask>(
      [keep = std::weak_ptr<Chunk>(chunk), read = read_,
       offset = index * options_.chunk_bytes + (index > 0 && FaultPlanted("chunk_edge")), size = options_.chunk_bytes] {
        // A chunk that everybody has let go of is not fetched.
        if (const auto alive = keep.lock()) alive->data = read(offset, size);
      });
  return chunk;
}

std::vector<ReadAhead::ChunkPtr> ReadAhead::Cover(uint64_t offset, uint32_t size) {
  std::vector<ChunkPtr> needed;
  std::vector<IoTaskPtr> to_submit;
  {
    MutexLock lock(mutex_);
    const uint32_t window = Advance(offset, size);
    if (window == 0) return {};
    const uint64_t first = offset / options_.chunk_bytes;
    const uint64_t last = (offset + size - 1) / options_.chunk_bytes;
    chunks_.erase(chunks_.begin(), chunks_.lower_bound(first > 0 ? first - 1 : 0));
    const Instant now = Now();
    for (uint64_t index = first; index <= last || index < first + window; ++index) {
      if (index > last && index * options_.chunk_bytes >= end_of_file_) break;
      ChunkPtr& chunk = chunks_[index];
      const bool usable = chunk != nullptr && !changed_(chunk->asked_at) &&
                          (absl::Nanoseconds(now - chunk->asked_at) < options_.lifetime || !chunk->task->Done());
      if (!usable) {
        chunk = Fetch(index);
        to_submit.push_back(chunk->task);
      }
      if (index <= last) needed.push_back(chunk);
    }
  }
  for (IoTaskPtr& task : to_submit) pool_.Submit(std::move(task));
  return needed;
}

absl::StatusOr<absl::Cord> ReadAhead::Assemble(const std::vector<ChunkPtr>& chunks, uint64_t offset, uint32_t size,
                                               const std::stop_token& stop, const ReadFunction& direct) {
  absl::Cord result;
  uint64_t position = offset;
  const uint64_t end = offset + size;
  for (const ChunkPtr& chunk : chunks) {
    const IoTask::Outcome outcome = chunk->task->Wait(stop);
    if (outcome == IoTask::Outcome::kStopped) return ErrnoStatus(EINTR, "read");
    // The pool is busy with others, or the fetch failed: this reader asks for itself.
    if (outcome == IoTask::Outcome::kNotBegun || !chunk->data.ok()) return direct(offset, size);
    const uint64_t within = position % options_.chunk_bytes;
    const uint64_t wanted = std::min<uint64_t>(end - position, options_.chunk_bytes - within);
    if (chunk->data->size() < options_.chunk_bytes) {
      MutexLock lock(mutex_);
      end_of_file_ = position - within + chunk->data->size();
    }
    if (within + wanted > chunk->data->size()) {
      // The file ended here when it was fetched ahead. Whether it still does is asked now: never a false end.
      return direct(offset, size);
    }
    result.Append(chunk->data->Subcord(within, wanted));
    position += wanted;
  }
  return result;
}

std::optional<absl::StatusOr<absl::Cord>> ReadAhead::Read(uint64_t offset, uint32_t size, const std::stop_token& stop,
                                                          const ReadFunction& direct) {
  if (size == 0) return absl::Cord();
  const std::vector<ChunkPtr> chunks = Cover(offset, size);
  if (chunks.empty()) return std::nullopt;
  return Assemble(chunks, offset, size, stop, direct);
}

}  // namespace mirrorfs
