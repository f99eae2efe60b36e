// Sequential reads of one open file, fetched ahead: whole chunks, several in flight, more of them the longer the
// stream is. Anything else is read just as it was asked for.
#ifndef MIRRORFS_FUSEFS_CORE_READ_AHEAD_H_
#define MIRRORFS_FUSEFS_CORE_READ_AHEAD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "fusefs/core/clock.h"
#include "fusefs/core/io_pool.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

struct ReadAheadOptions {
  uint32_t chunk_bytes = 1 << 20;  // SPEED 5
  uint32_t max_chunks = 8;         // in flight or waiting to be read
  // A stream is one from here on: small files are read by then.
  uint64_t sequential_after = 128 << 10;
  // What was fetched longer ago than that is fetched again.
  absl::Duration lifetime = absl::Seconds(1);
};

// Thread-safe.
class ReadAhead {
 public:
  // Reads exactly [offset, offset+size), short only at the end of the file. Called from any thread, also after this
  // object is gone.
  using ReadFunction = std::function<absl::StatusOr<absl::Cord>(uint64_t offset, uint32_t size)>;
  // True if the file may have changed since the instant.
  using ChangedFunction = std::function<bool(Instant)>;

  ReadAhead(const ReadAheadOptions& options, IoPool& pool, ReadFunction read, ChangedFunction changed)
      : options_(options), pool_(pool), read_(std::move(read)), changed_(std::move(changed)) {}

  // What belongs to a stream; nullopt: it does not, and the caller is to ask for just this. `direct` reads on behalf of
  // the caller what was not fetched ahead.
  std::optional<absl::StatusOr<absl::Cord>> Read(uint64_t offset, uint32_t size, const std::stop_token& stop,
                                                 const ReadFunction& direct);

 private:
  struct Chunk {
    IoTaskPtr task;
    Instant asked_at = 0;
    absl::StatusOr<absl::Cord> data = absl::Cord();
  };
  using ChunkPtr = std::shared_ptr<Chunk>;

  // Notes the access; how many chunks from `offset` on should be there or on their way (0: not a stream).
  uint32_t Advance(uint64_t offset, uint32_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<ChunkPtr> Cover(uint64_t offset, uint32_t size) ABSL_LOCKS_EXCLUDED(mutex_);
  ChunkPtr Fetch(uint64_t index);
  absl::StatusOr<absl::Cord> Assemble(const std::vector<ChunkPtr>& chunks, uint64_t offset, uint32_t size,
                                      const std::stop_token& stop, const ReadFunction& direct);

  const ReadAheadOptions options_;
  IoPool& pool_;
  const ReadFunction read_;
  const ChangedFunction changed_;

  Mutex mutex_;
  uint64_t stream_end_ ABSL_GUARDED_BY(mutex_) = 0;            // where the next read of the stream is expected
  uint64_t stream_bytes_ ABSL_GUARDED_BY(mutex_) = 0;          // how long it has been one
  uint64_t end_of_file_ ABSL_GUARDED_BY(mutex_) = UINT64_MAX;  // as a short chunk told
  std::map<uint64_t, ChunkPtr> chunks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_READ_AHEAD_H_
