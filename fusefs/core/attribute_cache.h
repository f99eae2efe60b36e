// Attributes that the agent has told of single files, for as long as they may be passed on: the kernel asks again for
// what it has just been told whenever it has changed something, and each question would be a round trip.
#ifndef MIRRORFS_FUSEFS_CORE_ATTRIBUTE_CACHE_H_
#define MIRRORFS_FUSEFS_CORE_ATTRIBUTE_CACHE_H_

#include <atomic>
#include <cstddef>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "fusefs/core/clock.h"
#include "fusefs/core/inode.h"
#include "protos/shared/file_types.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe.
class AttributeCache {
 public:
  explicit AttributeCache(absl::Duration lifetime) : lifetime_(lifetime) {}

  struct Known {
    Attributes attributes;
    Instant asked_at = 0;    // what is left of their life is counted from there
    Instant right_from = 0;  // nothing that this mount has done since then is missing in them
  };
  // Nothing if they are too old, or this mount may have changed them since.
  std::optional<Known> Find(const Inode& inode) const;
  // From an answer to a question: right_from = asked_at. From the answer to a change: as Inode::Change::End tells.
  void Keep(const Inode& inode, const Known& known);

  // A name went, of a file that is not known: none of what was told before is used any more.
  void DropAll() { dropped_at_.store(Now()); }
  bool DroppedSince(Instant instant) const { return dropped_at_.load() >= instant; }
  // Lets go of what is too old to be of use.
  void DropOld();

 private:
  bool Fresh(const Known& known, Instant now) const { return absl::Nanoseconds(now - known.asked_at) < lifetime_; }

  // More than that are not kept: what is asked for again at once is among the latest.
  static constexpr size_t kMost = 16384;

  const absl::Duration lifetime_;
  std::atomic<Instant> dropped_at_{0};
  mutable Mutex mutex_;
  absl::flat_hash_map<NodeId, Known> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_ATTRIBUTE_CACHE_H_
