// Listings of directories that clients have begun and not ended.
#ifndef MIRRORFS_PROTOS_ROOTFS_DIRECTORY_LISTINGS_H_
#define MIRRORFS_PROTOS_ROOTFS_DIRECTORY_LISTINGS_H_

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>

#include "absl/status/statusor.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// A listing remembers where its last page began and where the next one does, so that either can be read (again).
struct DirectoryListing {
  // Held while a page is read: only who asks for the same listing at the same time waits for it.
  Mutex mutex;
  UniqueFd fd ABSL_GUARDED_BY(mutex);        // open for reading; its position is that of the last getdents64
  uint32_t page ABSL_GUARDED_BY(mutex) = 0;  // number of the next page; the one before can be asked for again
  int64_t last_start ABSL_GUARDED_BY(mutex) = 0;
  int64_t next_start ABSL_GUARDED_BY(mutex) = 0;
  NodeId node = NodeId::kInvalid;
};

// Bounded: the listing that has not been used for longest ends first (ESTALE for who comes back to it). Thread-safe.
class DirectoryListings {
 public:
  using Clock = std::chrono::steady_clock;
  using ListingPtr = std::shared_ptr<DirectoryListing>;

  explicit DirectoryListings(size_t capacity) : capacity_(capacity) {}

  // The number of the listing, which goes into its cursors.
  uint32_t Add(ListingPtr listing);
  // ESTALE if it has ended, or is of another node.
  absl::StatusOr<ListingPtr> Find(NodeId node, DirCursor cursor);
  void Remove(NodeId node, DirCursor cursor);
  // The listing is at its end: it is kept only for a client that has not received its last page.
  void MarkFinished(DirCursor cursor);
  void EraseUnusedSince(Clock::time_point unfinished, Clock::time_point finished);

  static DirCursor MakeCursor(uint32_t listing, uint32_t page) { return DirCursor{uint64_t{listing} << 32 | page}; }
  static uint32_t ListingOf(DirCursor cursor) { return static_cast<uint32_t>(ToNumber(cursor) >> 32); }
  static uint32_t PageOf(DirCursor cursor) { return static_cast<uint32_t>(ToNumber(cursor)); }

 private:
  struct Item {
    uint32_t number;
    ListingPtr listing;
    Clock::time_point used;
    bool finished = false;
  };

  const size_t capacity_;
  Mutex mutex_;
  std::list<Item> items_ ABSL_GUARDED_BY(mutex_);  // few; latest used first
  uint32_t next_number_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_DIRECTORY_LISTINGS_H_
