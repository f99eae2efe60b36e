// Open O_PATH descriptors of nodes, few and not for long.
#ifndef MIRRORFS_PROTOS_ROOTFS_FD_CACHE_H_
#define MIRRORFS_PROTOS_ROOTFS_FD_CACHE_H_

#include <chrono>
#include <list>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// A descriptor that stays open as long as somebody uses it, whatever the cache does.
using SharedFd = std::shared_ptr<const UniqueFd>;

inline SharedFd ShareFd(UniqueFd fd) { return std::make_shared<const UniqueFd>(std::move(fd)); }

// Thread-safe; the least recently used goes first. Descriptors are closed outside the lock.
class FdCache {
 public:
  using Clock = std::chrono::steady_clock;

  explicit FdCache(size_t capacity) : capacity_(capacity) {}

  SharedFd Find(NodeId node);  // null: not cached
  void Put(NodeId node, SharedFd fd);
  void Erase(absl::Span<const NodeId> nodes);
  void Clear();
  // A held descriptor keeps a deleted file's blocks and a volume's mount: what has not been used since is given back.
  void EraseUnusedSince(Clock::time_point time);

  size_t size() const;

 private:
  struct Item {
    NodeId node;
    SharedFd fd;
    Clock::time_point used;
  };
  using Items = std::list<Item>;  // latest used first

  void Remove(Items::iterator item, Items& closing) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t capacity_;
  mutable Mutex mutex_;
  Items items_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, Items::iterator> by_node_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_FD_CACHE_H_
