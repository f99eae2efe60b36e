// Sequential writes of one open file, sent behind the program's back: answered when queued, joined into large
// requests, several in flight. An error is kept and told by the next write, fsync or close. Everything that is not a
// long sequential stream is written before it is answered.
#ifndef MIRRORFS_FUSEFS_CORE_WRITE_QUEUE_H_
#define MIRRORFS_FUSEFS_CORE_WRITE_QUEUE_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "fusefs/core/io_pool.h"
#include "fusefs/core/pending_count.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

struct WriteQueueOptions {
  uint32_t chunk_bytes = 1 << 20;  // one request
  uint32_t max_in_flight = 8;      // requests; with the one being filled, this bounds the memory of a file
  // A stream is one from here on. Until then a program hears of an error by the write that met it.
  uint64_t sequential_after = 128 << 10;
  uint32_t smallest_write = 4096;  // smaller ones are not queued
};

// Thread-safe; one per handle that can write. Lock order: its mutex before PendingCount'.
class WriteQueue : public std::enable_shared_from_this<WriteQueue> {
 public:
  // Writes all of `data` at `offset` or fails. Called from any thread.
  using WriteFunction = std::function<absl::Status(uint64_t offset, absl::Cord data)>;

  // `pending` belongs to the inode and outlives the queue: it counts what is queued here.
  WriteQueue(const WriteQueueOptions& options, IoPool& pool, WriteFunction write, std::shared_ptr<PendingCount> pending)
      : options_(options), pool_(pool), write_(std::move(write)), pending_(std::move(pending)) {}

  enum class Verdict : uint8_t {
    kQueued,     // taken over
    kNotStream,  // the caller drains the inode and writes by itself
    kStopped,    // a stop was requested while the queue was full
  };
  Verdict Offer(uint64_t offset, const absl::Cord& data, const std::stop_token& stop);
  // A write that did not go through the queue: a stream may begin with it.
  void NoteDirectWrite(uint64_t offset, uint64_t size);
  // Sends what is still being joined and waits until all is answered; false if a stop was requested before.
  [[nodiscard]] bool Drain(const std::stop_token& stop);
  // The first error since the last call.
  absl::Status TakeError();

 private:
  void Send(uint64_t offset, absl::Cord data);
  void Finished(const absl::Status& status);
  bool Full(uint64_t more) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // When nothing is in flight, or there is enough for a request and room for it.
  void SendIfTime() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SendTail() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const WriteQueueOptions options_;
  IoPool& pool_;
  const WriteFunction write_;
  const std::shared_ptr<PendingCount> pending_;

  Mutex mutex_;
  std::condition_variable progress_;
  uint64_t stream_end_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t stream_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Cord tail_ ABSL_GUARDED_BY(mutex_);  // being joined; ends at stream_end_
  uint32_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_WRITE_QUEUE_H_
