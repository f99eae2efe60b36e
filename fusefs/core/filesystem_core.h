// The daemon's heart: what each request of the kernel means, in terms of the remote file system, what is known
// already and what is under way. Knows nothing of FUSE and nothing of gRPC.
#ifndef MIRRORFS_FUSEFS_CORE_FILESYSTEM_CORE_H_
#define MIRRORFS_FUSEFS_CORE_FILESYSTEM_CORE_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "fusefs/core/answers.h"
#include "fusefs/core/attribute_cache.h"
#include "fusefs/core/directory_ahead.h"
#include "fusefs/core/inode_table.h"
#include "fusefs/core/io_pool.h"
#include "fusefs/core/name_cache.h"
#include "fusefs/core/open_directory.h"
#include "fusefs/core/open_file.h"
#include "protos/shared/deferred_reads.h"
#include "protos/shared/file_system.h"
#include "protos/shared/handle_table.h"

namespace mirrorfs {

struct CoreOptions {
  absl::Duration attr_timeout = absl::Seconds(1);
  absl::Duration entry_timeout = absl::Seconds(1);
  bool rebase_links = true;
  // A file without an ACL has none (ENODATA), also while no file with one was seen (xattrs.cc).
  bool exact_acls = false;
  // True: the kernel does not check permissions, so what it holds of a directory's names must go when they change.
  bool agent_checks_permissions = false;
  // Makes the kernel look all names up again (only called if agent_checks_permissions).
  std::function<void()> expire_kernel_names = [] {};
  // Makes the kernel ask for this node's attributes again. Must not block.
  std::function<void(NodeId)> expire_kernel_attributes = [](NodeId) {};
  // idmap=user: these two are shown as, and taken for, each other.
  bool map_ids = false;
  bool show_own_ids = false;  // every id is shown as shown_uid, shown_gid
  uint32_t container_uid = 0;
  uint32_t container_gid = 0;
  uint32_t shown_uid = 0;
  uint32_t shown_gid = 0;
  uint32_t max_read = 1 << 20;
  uint32_t max_write = 1 << 20;
  uint32_t max_page = 1 << 20;
  uint32_t inline_bytes = 64 << 10;  // asked for with each open for reading
};

// Thread-safe. Every call may block for as long as the context allows. No lock is held across a call of `files`,
// except OpenDirectory::walking.
class FilesystemCore {
 public:
  // `files` outlives it. `root`: what the session began with.
  FilesystemCore(FileSystem& files, const Entry& root, const CoreOptions& options);
  ~FilesystemCore();
  FilesystemCore(const FilesystemCore&) = delete;
  FilesystemCore& operator=(const FilesystemCore&) = delete;

  // --- names.cc
  absl::StatusOr<EntryAnswer> Lookup(const CallContext& context, NodeId parent, std::string_view name);
  void Forget(NodeId node, uint64_t count);
  absl::StatusOr<std::string> Readlink(const CallContext& context, NodeId node);

  // --- attributes.cc
  absl::StatusOr<AttrAnswer> GetAttr(const CallContext& context, NodeId node);
  // `handle`: of an open file, or kNone.
  absl::StatusOr<AttrAnswer> SetAttr(const CallContext& context, NodeId node, HandleId handle,
                                     const AttributeChange& change);
  absl::Status Access(const CallContext& context, NodeId node, AccessMask mask);
  absl::StatusOr<FileSystemStatistics> StatFs(const CallContext& context, NodeId node);

  // --- tree_changes.cc
  struct NewName {
    NodeId parent;
    std::string_view name;
    uint32_t permissions = 0;
    uint32_t umask = 0;
  };
  absl::StatusOr<EntryAnswer> Mknod(const CallContext& context, const NewName& where, FileType type,
                                    uint32_t rdev_major, uint32_t rdev_minor);
  absl::StatusOr<EntryAnswer> Mkdir(const CallContext& context, const NewName& where);
  absl::StatusOr<EntryAnswer> Symlink(const CallContext& context, NodeId parent, std::string_view name,
                                      std::string_view target);
  absl::StatusOr<EntryAnswer> Link(const CallContext& context, NodeId node, NodeId new_parent,
                                   std::string_view new_name);
  absl::Status Unlink(const CallContext& context, NodeId parent, std::string_view name);
  absl::Status Rmdir(const CallContext& context, NodeId parent, std::string_view name);
  absl::Status Rename(const CallContext& context, NodeId parent, std::string_view name, NodeId new_parent,
                      std::string_view new_name, RenameMode mode);

  // --- files.cc
  absl::StatusOr<OpenAnswer> Open(const CallContext& context, NodeId node, OpenFlags flags);
  absl::StatusOr<CreateAnswer> Create(const CallContext& context, const NewName& where, bool exclusive,
                                      OpenFlags flags);
  // `done` and the calling thread: as DeferredReads says.
  void Read(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size, ReadDone done);
  // `data` owns its bytes. `from_page_cache`: the kernel writes back what a map has changed; the context's caller
  // means nothing then.
  absl::StatusOr<uint64_t> Write(const CallContext& context, HandleId handle, uint64_t offset, absl::Cord data,
                                 bool from_page_cache);
  // A descriptor is closed: errors that are still owed, and the record locks of `owner` go.
  absl::Status Flush(const CallContext& context, HandleId handle, LockOwner owner);
  absl::Status Fsync(const CallContext& context, HandleId handle, bool data_only);
  void Release(HandleId handle);

  // --- ranges.cc
  absl::Status Fallocate(const CallContext& context, HandleId handle, FallocateMode mode, bool keep_size,
                         uint64_t offset, uint64_t length);
  absl::StatusOr<uint64_t> Seek(const CallContext& context, HandleId handle, uint64_t offset, SeekWhence whence);
  absl::StatusOr<uint64_t> CopyFileRange(const CallContext& context, HandleId source, uint64_t source_offset,
                                         HandleId destination, uint64_t destination_offset, uint64_t length);

  // --- locks.cc
  absl::StatusOr<LockRange> GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                    const LockRange& lock);
  // Waits for as long as it takes if `wait`; EAGAIN otherwise.
  absl::Status SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                       const LockRange& lock, bool wait);

  // --- directories.cc
  absl::StatusOr<HandleId> OpenDir(const CallContext& context, NodeId node);
  // One name at an offset. `plus`: with a lookup count for the kernel.
  struct DirectoryAnswer {
    std::string_view name;
    FileType type = FileType::kUnknown;
    uint64_t inode_number = 0;
    EntryAnswer entry;     // node kInvalid: only the name
    uint64_t next_offset;  // of the name that follows
  };
  // Calls `add` for each name from `offset` on until it returns false (no room: the name is not delivered) or there
  // are no more. With `plus`, an entry that was not delivered has no lookup count.
  absl::Status ReadDir(const CallContext& context, HandleId handle, uint64_t offset, bool plus,
                       const std::function<bool(const DirectoryAnswer&)>& add);
  absl::Status Fsyncdir(const CallContext& context, HandleId handle, bool data_only);
  void ReleaseDir(HandleId handle);

  // --- xattrs.cc
  absl::StatusOr<std::string> GetXattr(const CallContext& context, NodeId node, std::string_view name);
  absl::Status SetXattr(const CallContext& context, NodeId node, std::string_view name, std::string_view value,
                        XattrMode mode);
  absl::StatusOr<std::vector<std::string>> ListXattr(const CallContext& context, NodeId node);
  absl::Status RemoveXattr(const CallContext& context, NodeId node, std::string_view name);

 private:
  // --- Finding (ESTALE, EBADF)
  absl::StatusOr<InodePtr> FindInode(NodeId node) const;
  absl::StatusOr<OpenFilePtr> FindFile(HandleId handle) const;

  // --- Answers (names.cc)
  // What the kernel is told of a name: attributes fetched at `cached.fetched_at`, asked for again if this mount has
  // changed the file since. Adds the lookup count.
  absl::StatusOr<EntryAnswer> Deliver(const CallContext& context, CachedName cached);
  EntryAnswer Absent(Instant fetched_at) const;
  absl::StatusOr<InodePtr> Adopt(const Entry& entry, const InodePtr& parent, Instant asked_at);
  absl::StatusOr<CachedName> AskForName(const CallContext& context, const InodePtr& parent, std::string_view name);
  // Remembers what was answered to the question of `ticket`, for as long as it may be.
  absl::StatusOr<CachedName> TakeAnswer(const InodePtr& parent, const NameCache::Ticket& ticket, std::string_view name,
                                        const absl::StatusOr<Entry>& entry);
  bool AttributesStale(const CachedName& cached) const;
  // Ids and link sizes as the mount shows them.
  Attributes Shown(Inode& inode, Attributes attributes) const;
  // What the agent told last, if that may be passed on; else it is asked. (attributes.cc)
  absl::StatusOr<AttributeCache::Known> Fetch(const CallContext& context, Inode& inode);
  // A name of the file may have come or gone since then, which its link count and change time show.
  bool NamesChangedSince(const Inode& inode, const Attributes& attributes, Instant instant) const;
  // What the answer to a change told: it is over now.
  void KeepAfter(Inode::Change& change, Inode& inode, const std::optional<Attributes>& attributes, Instant asked_at);
  absl::Duration AttrLifetime(const Inode& inode, absl::Duration left) const;
  std::string ShownTarget(const Inode& link, std::string_view target) const;
  static size_t DepthOfDirectoryOf(const Inode& inode);
  uint32_t ShownUid(uint32_t uid) const;
  uint32_t ShownGid(uint32_t gid) const;

  // --- Extended attributes (xattrs.cc)
  void NoteXattrs(Inode& inode, const Attributes& attributes, Instant asked_at);
  int ErrnoOfMissing(std::string_view name, const CallContext& context, const Inode& inode) const;

  // --- Changes (tree_changes.cc)
  // A name that this mount has just made: into the cache, and to the kernel.
  absl::StatusOr<EntryAnswer> DeliverNew(NameCache::Change& change, Inode::Change& changing, const InodePtr& parent,
                                         std::string_view name, Instant asked_at, const Entry& entry);
  void NamesMayBeStale(const InodePtr& directory);
  absl::Status RemoveName(const InodePtr& parent, std::string_view name,
                          const std::function<absl::StatusOr<Removed>()>& remove);
  // The file that had this name (as far as it is known) has other attributes now.
  void MarkUnlinked(const std::optional<CachedName>& before);
  void MoveName(NameCache::Change& change, const InodePtr& parent, std::string_view name,
                const std::optional<CachedName>& now);

  // --- Files (files.cc)
  OpenAnswer Opened(const CallContext& context, const InodePtr& inode, HandleId handle, OpenFlags flags,
                    OpenResult result, Instant asked_at);
  OpenFilePtr MakeFile(const InodePtr& inode, HandleId handle, OpenFlags flags);
  // The handle at the agent through which the kernel's pages of this file are written back.
  absl::StatusOr<HandleId> HandleForPages(OpenFile& file);
  // Writes all of it with the opener's rights.
  absl::Status WriteBehind(const OpenFile& file, uint64_t offset, absl::Cord data);
  // One read of the kernel's, until it is answered.
  struct PendingRead;
  // Blocks while writes of the same bytes that arrived before are under way.
  void StartRead(const std::shared_ptr<PendingRead>& read);
  // Answers, unless a write has overtaken the read: then it is done again.
  void FinishRead(const std::shared_ptr<PendingRead>& read, absl::StatusOr<absl::Cord> data);
  // nullopt: the other end has to be asked for just this.
  absl::StatusOr<std::optional<absl::Cord>> ReadAtHand(const CallContext& context, const OpenFile& file,
                                                       uint64_t offset, uint32_t size);
  // Waits until what was written behind the program's back is at the agent; EINTR if the context is stopped.
  static absl::Status Settle(const CallContext& context, const Inode& inode);

  // --- Directories (directories.cc)
  absl::StatusOr<DirectoryPart> FetchPart(const CallContext& context, const InodePtr& directory, uint64_t first,
                                          DirCursor cursor, bool with_attributes);
  // From the start; what is complete is kept for lookups.
  absl::StatusOr<DirectoryPart> FetchFirstPart(const CallContext& context, const InodePtr& directory);
  absl::Status FetchListing(const CallContext& context, const InodePtr& directory);
  // A fresh listing that is there, or is being fetched ahead; null if there is none.
  absl::StatusOr<ListingPtr> AwaitListing(const CallContext& context, const InodePtr& directory);
  void EndWalk(OpenDirectory& directory);
  // Makes the part that holds the name at `index` the last one; false if there are not so many names.
  absl::StatusOr<bool> WalkTo(const CallContext& context, OpenDirectory& directory, uint64_t index, bool plus);
  // nullopt: the name is gone meanwhile.
  std::optional<DirectoryAnswer> AnswerFor(const CallContext& context, const OpenDirectory& directory,
                                           const Listing& listing, const ListedName& name, bool plus);
  bool AddDots(const OpenDirectory& directory, uint64_t& offset,
               const std::function<bool(const DirectoryAnswer&)>& add);

  FileSystem& files_;
  DeferredReads* const deferred_reads_;  // of files_; may be null
  const CoreOptions options_;
  InodeTable inodes_;
  NameCache names_;
  AttributeCache attributes_;
  HandleIds handle_ids_;
  HandleTable<OpenFile> open_files_;
  HandleTable<OpenDirectory> open_directories_;
  // The last time that a name of a file with several went or came: what was fetched of the other names before is stale.
  std::atomic<Instant> multi_link_change_{0};
  std::atomic<bool> acl_seen_{false};  // some file has, had or may have an ACL

  // Lets go of old names.
  Mutex sweeping_;
  std::condition_variable sweep_end_;
  bool ending_ ABSL_GUARDED_BY(sweeping_) = false;
  std::thread sweeper_;
  DirectoryAhead directories_ahead_;
  IoPool pool_;         // last, with what follows: its tasks use the rest
  IoPool reads_again_;  // its tasks wait for writes, which wait for tasks of pool_
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_FILESYSTEM_CORE_H_
