#include "fusefs/core/name_cache.h"

#include <limits>
#include <utility>
#include <vector>

namespace mirrorfs {
namespace {

// The packaged abseil has a string_view type of its own.
// Never fresh, however long a lifetime is (and far enough from the smallest number to be subtracted).
constexpr Instant kBeforeEverything = std::numeric_limits<Instant>::min() / 2;

absl::string_view Key(std::string_view name) { return {name.data(), name.size()}; }

}  // namespace

std::optional<CachedName> NameCache::Find(NodeId directory, std::string_view name) const {
  const Instant now = Now();
  MutexLock lock(mutex_);
  const auto found = directories_.find(directory);
  if (found == directories_.end()) return std::nullopt;
  const Directory& known = found->second;
  if (const auto single = known.names.find(Key(name)); single != known.names.end()) {
    if (Fresh(single->second.fetched_at, now)) return single->second;
    return std::nullopt;
  }
  if (known.listing == nullptr || !Fresh(known.listing->fetched_at(), now)) return std::nullopt;
  const Instant fetched_at = known.listing->fetched_at();
  const ListedName* listed = known.listing->Find(name);
  if (listed == nullptr) {
    if (!known.listing->complete()) return std::nullopt;
    return CachedName{.inode = nullptr, .attributes = {}, .fetched_at = fetched_at};
  }
  if (listed->inode == nullptr) return std::nullopt;
  return CachedName{listed->inode, listed->attributes, fetched_at};
}

ListingPtr NameCache::FindListing(NodeId directory) const {
  MutexLock lock(mutex_);
  const auto found = directories_.find(directory);
  if (found == directories_.end()) return nullptr;
  const Directory& known = found->second;
  if (known.listing == nullptr || !known.listing->complete() || known.listing_changed || known.changes_going_on != 0) {
    return nullptr;
  }
  return Fresh(known.listing->fetched_at(), Now()) ? known.listing : nullptr;
}

NameCache::Ticket NameCache::Ask(NodeId directory) const {
  const Instant now = Now();
  MutexLock lock(mutex_);
  const auto found = directories_.find(directory);
  return Ticket{now, found == directories_.end() ? 0 : found->second.version};
}

void NameCache::Keep(NodeId directory, const Ticket& ticket, std::string_view name, CachedName answer) {
  CachedName replaced;  // references are let go outside the lock
  MutexLock lock(mutex_);
  Directory& known = directories_[directory];
  if (!MayKeep(known, ticket)) return;
  CachedName& slot = known.names[std::string(name)];
  replaced = std::exchange(slot, std::move(answer));
}

void NameCache::Keep(NodeId directory, const Ticket& ticket, ListingPtr listing) {
  ListingPtr replaced_listing;
  absl::flat_hash_map<std::string, CachedName> replaced_names;
  MutexLock lock(mutex_);
  Directory& known = directories_[directory];
  if (!MayKeep(known, ticket)) return;
  replaced_listing = std::exchange(known.listing, std::move(listing));
  replaced_names.swap(known.names);
  known.listing_changed = false;
}

NameCache::Change::Change(NameCache& cache, NodeId directory) : cache_(cache), directory_(directory) {
  MutexLock lock(cache_.mutex_);
  Directory& known = cache_.directories_[directory_];
  ++known.changes_going_on;
  ++known.version;
}

NameCache::Change::~Change() {
  MutexLock lock(cache_.mutex_);
  Directory& known = cache_.directories_[directory_];
  --known.changes_going_on;
  ++known.version;
}

void NameCache::Change::Set(std::string_view name, CachedName now) {
  CachedName replaced;
  MutexLock lock(cache_.mutex_);
  Directory& known = cache_.directories_[directory_];
  replaced = std::exchange(known.names[std::string(name)], std::move(now));
  known.listing_changed = true;
}

void NameCache::Change::Unset(std::string_view name) {
  // An answer from before everything: never fresh, so the agent is asked.
  Set(name, CachedName{.inode = nullptr, .attributes = {}, .fetched_at = kBeforeEverything});
}

void NameCache::Drop(NodeId directory) {
  Directory dropped;
  MutexLock lock(mutex_);
  const auto found = directories_.find(directory);
  if (found == directories_.end()) return;
  dropped.listing.swap(found->second.listing);
  dropped.names.swap(found->second.names);
  ++found->second.version;
}

void NameCache::DropOld() {
  const Instant now = Now();
  std::vector<ListingPtr> listings;  // references are let go outside the lock
  std::vector<CachedName> names;
  MutexLock lock(mutex_);
  for (auto it = directories_.begin(); it != directories_.end();) {
    Directory& known = it->second;
    if (known.listing != nullptr && !Fresh(known.listing->fetched_at(), now)) {
      listings.push_back(std::exchange(known.listing, nullptr));
    }
    // Under a fresh listing an old name stays: the listing may be older still.
    if (known.listing == nullptr) {
      absl::erase_if(known.names, [&](auto& entry) {
        if (Fresh(entry.second.fetched_at, now)) return false;
        names.push_back(std::move(entry.second));
        return true;
      });
    }
    const bool empty = known.listing == nullptr && known.names.empty() && known.changes_going_on == 0;
    if (empty) {
      directories_.erase(it++);
    } else {
      ++it;
    }
  }
}

}  // namespace mirrorfs
