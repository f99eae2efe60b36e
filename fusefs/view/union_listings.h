// Listings that had to be put together from several sides: held here while they are read page by page.
#ifndef MIRRORFS_FUSEFS_VIEW_UNION_LISTINGS_H_
#define MIRRORFS_FUSEFS_VIEW_UNION_LISTINGS_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "fusefs/view/view_node.h"
#include "protos/shared/file_types.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe.
class UnionListings {
 public:
  struct Item {
    DirectoryEntry entry;  // as the client is told; its node is not given out
    ViewNodePtr node;      // null if nothing is known but the name
  };
  struct Listing {
    std::vector<Item> items;
    absl::flat_hash_map<std::string, bool> names;  // true: shown; false: hidden by the layer
  };
  using ListingPtr = std::shared_ptr<const Listing>;

  // A cursor is a number of this table and the place in the listing.
  static constexpr uint64_t kMark = uint64_t{1} << 63;
  static bool Owns(DirCursor cursor) { return (ToNumber(cursor) & kMark) != 0; }
  static DirCursor MakeCursor(uint64_t number, size_t position) { return DirCursor{kMark | number << 32 | position}; }
  static uint64_t NumberOf(DirCursor cursor) { return (ToNumber(cursor) & ~kMark) >> 32; }
  static size_t PositionOf(DirCursor cursor) { return ToNumber(cursor) & UINT32_MAX; }

  uint64_t Add(NodeId directory, ListingPtr listing) {
    MutexLock lock(mutex_);
    const uint64_t number = next_++;
    listings_.emplace(number, Held{directory, std::move(listing)});
    return number;
  }
  // Null if there is none such.
  ListingPtr Find(NodeId directory, DirCursor cursor) const {
    MutexLock lock(mutex_);
    const auto found = listings_.find(NumberOf(cursor));
    return found == listings_.end() || found->second.directory != directory ? nullptr : found->second.listing;
  }
  void Remove(NodeId directory, DirCursor cursor) {
    ListingPtr removed;  // let go outside the lock
    MutexLock lock(mutex_);
    const auto found = listings_.find(NumberOf(cursor));
    if (found == listings_.end() || found->second.directory != directory) return;
    removed = std::move(found->second.listing);
    listings_.erase(found);
  }
  // It has been read to its end. The last ones of these are kept: the last page may be asked for again.
  void MarkFinished(DirCursor cursor) {
    ListingPtr removed;
    MutexLock lock(mutex_);
    if (std::find(finished_.begin(), finished_.end(), NumberOf(cursor)) != finished_.end()) return;
    finished_.push_back(NumberOf(cursor));
    if (finished_.size() <= kKeptFinished) return;
    const auto found = listings_.find(finished_.front());
    finished_.pop_front();
    if (found == listings_.end()) return;
    removed = std::move(found->second.listing);
    listings_.erase(found);
  }

 private:
  static constexpr size_t kKeptFinished = 8;
  struct Held {
    NodeId directory;
    ListingPtr listing;
  };
  mutable Mutex mutex_;
  absl::flat_hash_map<uint64_t, Held> listings_ ABSL_GUARDED_BY(mutex_);
  std::deque<uint64_t> finished_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_UNION_LISTINGS_H_
