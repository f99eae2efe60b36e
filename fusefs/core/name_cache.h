// What is known of names in directories, for as long as a cached answer may live: whole listings, single lookups,
// and what this mount itself has changed since.
//
// Every answer carries the instant at which it was asked for, so that whoever passes it on to the kernel can give it
// just the life that is left. A change that this mount makes goes in at once; an answer that was asked for before a
// change that is not over, or has ended since, is used once and not kept.
#ifndef MIRRORFS_FUSEFS_CORE_NAME_CACHE_H_
#define MIRRORFS_FUSEFS_CORE_NAME_CACHE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "fusefs/core/clock.h"
#include "fusefs/core/listing.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

struct CachedName {
  InodePtr inode;  // null: the name does not exist
  Attributes attributes;
  Instant fetched_at = 0;
};

// Thread-safe.
class NameCache {
 public:
  explicit NameCache(absl::Duration lifetime) : lifetime_(lifetime) {}

  // What is known of the name and not too old; nullopt: nothing.
  std::optional<CachedName> Find(NodeId directory, std::string_view name) const;
  // The whole directory, if it was listed a short while ago and this mount has not changed it since.
  ListingPtr FindListing(NodeId directory) const;

  // A question to the agent: taken before it is asked, handed in with the answer. Whether the answer may be kept is
  // then known.
  struct Ticket {
    Instant asked_at;
    uint64_t version;
  };
  Ticket Ask(NodeId directory) const;
  void Keep(NodeId directory, const Ticket& ticket, std::string_view name, CachedName answer);
  void Keep(NodeId directory, const Ticket& ticket, ListingPtr listing);

  // Brackets a change of the directory's names that this mount makes.
  class Change {
   public:
    Change(NameCache& cache, NodeId directory);
    ~Change();
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    // After it has succeeded: what the name is now (an answer without inode: it is gone).
    void Set(std::string_view name, CachedName now);
    // What became of the name is not known.
    void Unset(std::string_view name);

   private:
    NameCache& cache_;
    const NodeId directory_;
  };

  // Forgets the names of one directory (its permissions changed, or a change of it failed half way).
  void Drop(NodeId directory);
  // Lets go of what is too old to be of use.
  void DropOld();

 private:
  struct Directory {
    ListingPtr listing;
    absl::flat_hash_map<std::string, CachedName> names;  // newer than the listing
    bool listing_changed = false;                        // `names` holds changes made after the listing
    uint64_t version = 0;                                // changes begun and ended
    uint32_t changes_going_on = 0;
  };

  bool MayKeep(const Directory& directory, const Ticket& ticket) const {
    return directory.changes_going_on == 0 && directory.version == ticket.version;
  }
  bool Fresh(Instant fetched_at, Instant now) const { return absl::Nanoseconds(now - fetched_at) < lifetime_; }

  const absl::Duration lifetime_;
  mutable Mutex mutex_;
  absl::flat_hash_map<NodeId, Directory> directories_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_NAME_CACHE_H_
