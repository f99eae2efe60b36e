// What the daemon remembers of one node that the kernel, a directory listing or an open handle refers to.
#ifndef MIRRORFS_FUSEFS_CORE_INODE_H_
#define MIRRORFS_FUSEFS_CORE_INODE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "fusefs/core/clock.h"
#include "fusefs/core/pending_count.h"
#include "fusefs/core/write_order.h"
#include "protos/shared/file_types.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe. Lock order: InodeTable's mutex before an Inode's; nothing is called under an Inode's.
class Inode {
 public:
  Inode(NodeId node, FileType type) : node_(node), type_(type) {}

  NodeId node() const { return node_; }
  FileType type() const { return type_; }
  bool IsDirectory() const { return type_ == FileType::kDirectory; }

  // --- Its number as programs see it (st_ino)
  void SetNumber(uint64_t number) { number_.store(number, std::memory_order_relaxed); }
  uint64_t Number() const { return number_.load(std::memory_order_relaxed); }

  // --- Its owner as the kernel was told last
  void SetShownOwner(uint32_t uid) { shown_owner_.store(uid, std::memory_order_relaxed); }
  uint32_t ShownOwner() const { return shown_owner_.load(std::memory_order_relaxed); }

  // --- Age of what is known about it
  // Something that this mount did may have changed attributes or contents: whatever was fetched before is stale, what a
  // change that is under way tells of them included.
  void MarkChanged() {
    MutexLock lock(mutex_);
    ++changes_begun_;
    MarkChangedAt(Now());
  }
  // What the agent said to a question of `asked_at`. If it differs from what it said before, somebody else has changed
  // the file: contents that were fetched before the question are stale, and it returns true.
  bool Observe(const Attributes& attributes, Instant asked_at) {
    const Version version = VersionOf(attributes);
    MutexLock lock(mutex_);
    const bool changed = observed_ && *observed_ != version;
    if (changed) MarkChangedAt(asked_at - 1);
    observed_ = version;
    return changed;
  }
  // What a change of this mount's own told: nobody else has changed the file, if the next answer is the same.
  void ObserveOwn(const Attributes& attributes) {
    MutexLock lock(mutex_);
    observed_ = VersionOf(attributes);
  }
  bool ChangedSince(Instant instant) const { return changed_at_.load() >= instant; }
  // A change that this mount makes, from before it is asked for until its answer is there.
  class Change {
   public:
    explicit Change(Inode& inode) : inode_(inode) {
      MutexLock lock(inode_.mutex_);
      alone_ = inode_.changes_going_on_++ == 0;
      number_ = ++inode_.changes_begun_;
      inode_.MarkChangedAt(Now());
    }
    ~Change() { End(); }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    // The answer is there. Since when attributes that it told are right; nothing if another change of this mount may
    // have come after they were read.
    std::optional<Instant> End() {
      if (std::exchange(ended_, true)) return std::nullopt;
      MutexLock lock(inode_.mutex_);
      --inode_.changes_going_on_;
      const Instant now = Now();
      inode_.MarkChangedAt(now);
      if (!alone_ || inode_.changes_begun_ != number_) return std::nullopt;
      return now + 1;
    }

   private:
    Inode& inode_;
    bool alone_ = false;
    bool ended_ = false;
    uint32_t number_ = 0;
  };
  // Attributes that were told before are not passed on any more, though nothing was changed: reading may move atime, an
  // fsync settles how many blocks there are. (And nothing is known of an inode from before it was made.)
  void ForgetTold() { forgotten_at_.store(Now(), std::memory_order_relaxed); }
  bool ForgottenSince(Instant instant) const { return forgotten_at_.load(std::memory_order_relaxed) >= instant; }

  const std::shared_ptr<PendingCount>& pending_writes() const { return pending_writes_; }
  WriteOrder& write_order() { return write_order_; }

  // --- Where it is: the directory under which it was seen last; null for the root. Decides where links point.
  void SetParent(std::shared_ptr<Inode> parent) {
    MutexLock lock(mutex_);
    parent_.swap(parent);
  }
  std::shared_ptr<Inode> Parent() const {
    MutexLock lock(mutex_);
    return parent_;
  }

  // --- Open handles: through one of them a file without a name is still reached
  void AddHandle(HandleId handle) {
    MutexLock lock(mutex_);
    handles_.push_back(handle);
  }
  void RemoveHandle(HandleId handle) {
    MutexLock lock(mutex_);
    handles_.erase(std::remove(handles_.begin(), handles_.end(), handle), handles_.end());
  }
  HandleId AnyHandle() const {
    MutexLock lock(mutex_);
    return handles_.empty() ? HandleId::kNone : handles_.front();
  }

  // Open files of this mount through which it may be written.
  void AddWriter() { writers_.fetch_add(1); }
  void RemoveWriter() { writers_.fetch_sub(1); }
  bool HasWriters() const { return writers_.load() != 0; }

  // --- The kernel's pages of it. True if they are still right for a file with these attributes; remembers them.
  bool PagesStillRight(const Attributes& attributes) {
    const Version version = VersionOf(attributes);
    MutexLock lock(mutex_);
    const bool same = pages_ == version;
    pages_ = version;
    return same;
  }
  void ForgetPages() {
    MutexLock lock(mutex_);
    pages_.reset();
  }

  // --- security.capability: what the last open for writing told, and changes that passed here
  void SetMayHaveCapability(bool may) { may_have_capability_.store(may); }
  bool MayHaveCapability() const { return may_have_capability_.load(); }

  // --- Locks that go because their handle is closed: a lock that is asked for meanwhile may find them still there
  PendingCount& lock_releases() { return lock_releases_; }
  void BeginLockRelease() {
    lock_releases_begun_.fetch_add(1);
    lock_releases_.Begin();
  }
  void EndLockRelease() { lock_releases_.End(); }
  // Open files of this mount that may hold locks on it.
  void AddLockHolder() { lock_holders_.fetch_add(1); }
  void RemoveLockHolder() { lock_holders_.fetch_sub(1); }
  uint32_t LockHolders() const { return lock_holders_.load(); }
  uint64_t LockReleasesBegun() const { return lock_releases_begun_.load(); }

  // --- Extended attributes: whether it was told to have none, and when that was asked
  void NoteXattrs(bool without, Instant asked_at) { without_xattrs_at_.store(without ? asked_at : 0); }
  // 0: it may have some.
  Instant WithoutXattrsAt() const { return without_xattrs_at_.load(); }

  // --- Owners of record locks, whose locks go when any of their descriptors is closed
  void AddLockOwner(LockOwner owner) {
    MutexLock lock(mutex_);
    if (std::find(lock_owners_.begin(), lock_owners_.end(), owner) == lock_owners_.end()) lock_owners_.push_back(owner);
  }
  // True if it was one.
  bool RemoveLockOwner(LockOwner owner) {
    MutexLock lock(mutex_);
    return std::erase(lock_owners_, owner) != 0;
  }

  // --- Symbolic links: what it says, which never changes; empty if it was not told yet
  void SetLinkTarget(const std::string& target) {
    MutexLock lock(mutex_);
    if (link_target_.empty()) link_target_ = target;
  }
  std::string LinkTarget() const {
    MutexLock lock(mutex_);
    return link_target_;
  }

  // --- Directories: lookups that missed every cache, and the number of names that it had when it was listed last.
  // True if the time has come to list it whole instead of asking for one name more.
  bool MissAndWantListing(Instant now, absl::Duration window) {
    const Instant last = last_miss_.exchange(now, std::memory_order_relaxed);
    if (absl::Nanoseconds(now - last) >= window) misses_.store(0, std::memory_order_relaxed);
    const uint32_t misses = misses_.fetch_add(1, std::memory_order_relaxed);
    // A big directory must be worth it: one call a name costs about as much as listing 50 names, and more with
    // distance. The first time it is not known how big it is.
    const uint32_t names = listed_names_.load(std::memory_order_relaxed);
    return misses >= (names == 0 ? 1 : names / 100);
  }
  bool WasListed() const { return listed_names_.load(std::memory_order_relaxed) != 0; }
  void NoteListed(size_t names) {
    listed_names_.store(static_cast<uint32_t>(std::min<size_t>(names, UINT32_MAX)), std::memory_order_relaxed);
    misses_.store(0, std::memory_order_relaxed);
  }

 private:
  friend class InodeTable;
  // What tells one state of a file's contents from another.
  struct Version {
    uint64_t size;
    FileTime mtime_ns;
    FileTime ctime_ns;
    bool operator==(const Version&) const = default;
  };
  static Version VersionOf(const Attributes& attributes) {
    return {attributes.size, attributes.mtime_ns, attributes.ctime_ns};
  }
  void MarkChangedAt(Instant instant) {
    Instant seen = changed_at_.load(std::memory_order_relaxed);
    while (seen < instant && !changed_at_.compare_exchange_weak(seen, instant)) {
    }
  }

  const NodeId node_;
  const FileType type_;
  std::atomic<uint64_t> number_{0};
  std::atomic<uint32_t> shown_owner_{UINT32_MAX};
  std::atomic<Instant> changed_at_{0};
  std::atomic<Instant> forgotten_at_{Now()};
  std::atomic<uint64_t> lock_releases_begun_{0};
  std::atomic<uint32_t> lock_holders_{0};
  std::atomic<uint32_t> writers_{0};
  PendingCount lock_releases_;
  std::atomic<Instant> without_xattrs_at_{0};
  std::atomic<bool> may_have_capability_{true};
  std::atomic<Instant> last_miss_{0};
  std::atomic<uint32_t> misses_{0};
  std::atomic<uint32_t> listed_names_{0};
  std::atomic<uint64_t> wire_references_{0};
  const std::shared_ptr<PendingCount> pending_writes_ = std::make_shared<PendingCount>();
  WriteOrder write_order_;

  mutable Mutex mutex_;
  uint32_t changes_going_on_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t changes_begun_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<Inode> parent_ ABSL_GUARDED_BY(mutex_);
  std::vector<HandleId> handles_ ABSL_GUARDED_BY(mutex_);
  std::vector<LockOwner> lock_owners_ ABSL_GUARDED_BY(mutex_);
  std::optional<Version> observed_ ABSL_GUARDED_BY(mutex_);
  std::optional<Version> pages_ ABSL_GUARDED_BY(mutex_);
  std::string link_target_ ABSL_GUARDED_BY(mutex_);
};

using InodePtr = std::shared_ptr<Inode>;

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_INODE_H_
