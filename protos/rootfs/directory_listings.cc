#include "protos/rootfs/directory_listings.h"

#include <algorithm>
#include <cerrno>

#include "protos/shared/errno_status.h"

namespace mirrorfs {

// Where listings are dropped, `closing` outlives the lock: close(2) may wait for the file system.

uint32_t DirectoryListings::Add(ListingPtr listing) {
  std::list<Item> closing;
  MutexLock lock(mutex_);
  if (next_number_ == 0) ++next_number_;
  const uint32_t number = next_number_++;
  items_.push_front({number, std::move(listing), Clock::now(), false});
  if (items_.size() > capacity_) closing.splice(closing.end(), items_, std::prev(items_.end()));
  return number;
}

absl::StatusOr<DirectoryListings::ListingPtr> DirectoryListings::Find(NodeId node, DirCursor cursor) {
  MutexLock lock(mutex_);
  const auto found =
      std::find_if(items_.begin(), items_.end(), [&](const Item& item) { return item.number == ListingOf(cursor); });
  if (found == items_.end() || found->listing->node != node) return ErrnoStatus(ESTALE, "directory cursor");
  found->used = Clock::now();
  items_.splice(items_.begin(), items_, found);
  return found->listing;
}

void DirectoryListings::Remove(NodeId node, DirCursor cursor) {
  std::list<Item> closing;
  MutexLock lock(mutex_);
  const auto found = std::find_if(items_.begin(), items_.end(), [&](const Item& item) {
    return item.number == ListingOf(cursor) && item.listing->node == node;
  });
  if (found != items_.end()) closing.splice(closing.end(), items_, found);
}

void DirectoryListings::MarkFinished(DirCursor cursor) {
  MutexLock lock(mutex_);
  for (Item& item : items_) item.finished |= item.number == ListingOf(cursor);
}

void DirectoryListings::EraseUnusedSince(Clock::time_point unfinished, Clock::time_point finished) {
  std::list<Item> closing;
  MutexLock lock(mutex_);
  for (auto item = items_.begin(); item != items_.end();) {
    const auto next = std::next(item);
    if (item->used < (item->finished ? finished : unfinished)) closing.splice(closing.end(), items_, item);
    item = next;
  }
}

}  // namespace mirrorfs
