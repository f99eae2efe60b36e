// Directories that a program is about to list: one that walks a tree opens the subdirectories of a directory one after
// the other. The next ones are fetched meanwhile, more of them the longer that goes well.
#ifndef MIRRORFS_FUSEFS_CORE_DIRECTORY_AHEAD_H_
#define MIRRORFS_FUSEFS_CORE_DIRECTORY_AHEAD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "fusefs/core/clock.h"
#include "fusefs/core/inode.h"
#include "fusefs/core/io_pool.h"
#include "fusefs/core/listing.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe.
class DirectoryAhead {
 public:
  // `fetch` lists a directory and keeps what it got; it is called from threads of the pool.
  using Fetch = std::function<void(const InodePtr&)>;
  // It must outlive what the pool does; the pool itself may be made later.
  explicit DirectoryAhead(IoPool& pool) : pool_(pool) {}

  // A program lists `directory` and gets these names in this order.
  void NoteListed(NodeId directory, const Listing& listing);
  // A program opens `directory`. `known`: a fresh listing of it is there. Starts to fetch those that it is expected to
  // open next.
  void NoteOpened(const Inode& directory, bool known, const Fetch& fetch);
  // The fetching of this directory that is under way; null if there is none.
  IoTaskPtr UnderWay(NodeId directory) const;
  // Lets go of walks that nobody goes on with.
  void DropOld();

 private:
  struct Walk {
    std::vector<std::weak_ptr<Inode>> directories;  // in the order of the listing
    absl::flat_hash_map<NodeId, uint32_t> places;   // of each in `directories`
    size_t next = 0;                                // that should be opened next
    size_t fetched_to = 0;                          // those before it are there, or under way
    size_t window = 0;                              // how many to be ahead
    Instant used_at = 0;
  };
  // Those to fetch now, noted as under way.
  std::vector<IoTaskPtr> Advance(NodeId parent, NodeId directory, bool known, const Fetch& fetch);
  IoTaskPtr Begin(const InodePtr& directory, const Fetch& fetch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  IoPool& pool_;
  mutable Mutex mutex_;
  absl::flat_hash_map<NodeId, Walk> walks_ ABSL_GUARDED_BY(mutex_);  // by the directory whose children are walked
  absl::flat_hash_map<NodeId, IoTaskPtr> under_way_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_DIRECTORY_AHEAD_H_
