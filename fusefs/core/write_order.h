// Reads of a file come after the writes of the same bytes that the kernel sent before them.
//
// A write goes into the kernel's page first, then here. If the page is dropped meanwhile (the file is opened once more,
// its times have changed), it is read again while the write is under way. Without an order between the two the kernel
// may get the bytes from before the write, keep them, and show them with the size from after it: zeros where the
// program has written (docs/adr/0051).
#ifndef MIRRORFS_FUSEFS_CORE_WRITE_ORDER_H_
#define MIRRORFS_FUSEFS_CORE_WRITE_ORDER_H_

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <stop_token>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Of one file. Thread-safe, a leaf in the lock order. Offsets and sizes in bytes, as the kernel gives them (an append
// has that of the page it was put into, wherever the file ends by then).
class WriteOrder {
 public:
  WriteOrder() = default;
  WriteOrder(const WriteOrder&) = delete;
  WriteOrder& operator=(const WriteOrder&) = delete;

  // A write, from its arrival to its answer. Not moved; `order` outlives it.
  class Write {
   public:
    Write(WriteOrder& order, uint64_t offset, uint64_t size);
    ~Write();
    Write(const Write&) = delete;
    Write& operator=(const Write&) = delete;

   private:
    friend class WriteOrder;
    WriteOrder& order_;
    const uint64_t offset_;
    const uint64_t size_;
    uint64_t number_ = 0;
  };

  // A read, from its arrival until its bytes are answered. Not moved; `order` outlives it.
  class Read {
   public:
    Read(WriteOrder& order, uint64_t offset, uint64_t size);
    ~Read();
    Read(const Read&) = delete;
    Read& operator=(const Read&) = delete;

    // Blocks until no write of these bytes is under way that had arrived before this call (each has a deadline of its
    // own, so this ends), or a stop is requested: then false.
    [[nodiscard]] bool AwaitWrites(const std::stop_token& stop);
    // A write of these bytes has arrived since the last AwaitWrites began: what was read since may lack it.
    bool Overtaken() const;

   private:
    friend class WriteOrder;
    WriteOrder& order_;
    const uint64_t offset_;
    const uint64_t size_;
    bool overtaken_ = false;  // guarded by the order's mutex
  };

 private:
  static bool Overlap(const Read& read, const Write& write) {
    return std::max(read.offset_, write.offset_) < std::min(read.offset_ + read.size_, write.offset_ + write.size_);
  }

  mutable Mutex mutex_;
  std::condition_variable write_over_;
  std::vector<const Write*> writes_ ABSL_GUARDED_BY(mutex_);
  std::vector<Read*> reads_ ABSL_GUARDED_BY(mutex_);
  uint64_t writes_begun_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_WRITE_ORDER_H_
