// The FileSystem port over gRPC: pack, call, unpack what is validated.
#ifndef MIRRORFS_FUSEFS_REMOTE_REMOTE_FILE_SYSTEM_H_
#define MIRRORFS_FUSEFS_REMOTE_REMOTE_FILE_SYSTEM_H_

#include <string>
#include <vector>

#include "fusefs/remote/caller.h"
#include "fusefs/remote/give_back_queue.h"
#include "fusefs/remote/handle_ledger.h"
#include "fusefs/remote/node_ledger.h"
#include "fusefs/remote/read_combiner.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// Thread-safe. What is given to it outlives it.
class RemoteFileSystem : public FileSystem, public DeferredReads {
 public:
  RemoteFileSystem(RemoteCaller& caller, const SessionFacts& facts, NodeLedger& nodes, HandleLedger& handles,
                   GiveBackQueue& give_back)
      : caller_(caller),
        facts_(facts),
        nodes_(nodes),
        handles_(handles),
        give_back_(give_back),
        small_reads_([this](const CallContext& context, const ReadRange& range) { return ReadOne(context, range); },
                     [this](const CallContext& context, auto ranges) { return ReadMany(context, ranges); }) {}

  // remote_names.cc
  absl::StatusOr<Entry> Lookup(const CallContext& context, NodeId parent, std::string_view name) override;
  absl::StatusOr<AttributesReply> GetAttr(const CallContext& context, NodeOrHandle file) override;
  absl::StatusOr<AttributesReply> SetAttr(const CallContext& context, NodeOrHandle file,
                                          const AttributeChange& change) override;
  absl::StatusOr<std::string> Readlink(const CallContext& context, NodeId node) override;
  absl::Status Access(const CallContext& context, NodeId node, AccessMask mask) override;
  absl::StatusOr<DirectoryPage> ReadDir(const CallContext& context, NodeId node, DirCursor cursor, uint32_t max_bytes,
                                        bool with_attributes) override;
  void CloseDir(NodeId node, DirCursor cursor) override;
  absl::StatusOr<FileSystemStatistics> StatFs(const CallContext& context, NodeId node) override;

  // remote_tree.cc
  absl::StatusOr<Entry> Mknod(const CallContext& context, const NewNode& where, FileType type, uint32_t rdev_major,
                              uint32_t rdev_minor) override;
  absl::StatusOr<Entry> Mkdir(const CallContext& context, const NewNode& where) override;
  absl::StatusOr<Entry> Symlink(const CallContext& context, const NewNode& where, std::string_view target) override;
  absl::StatusOr<Entry> Link(const CallContext& context, NodeId node, NodeId new_parent,
                             std::string_view new_name) override;
  absl::StatusOr<Removed> Unlink(const CallContext& context, NodeId parent, std::string_view name) override;
  absl::StatusOr<Removed> Rmdir(const CallContext& context, NodeId parent, std::string_view name) override;
  absl::StatusOr<Renamed> Rename(const CallContext& context, NodeId parent, std::string_view name, NodeId new_parent,
                                 std::string_view new_name, RenameMode mode) override;
  absl::StatusOr<CreateResult> Create(const CallContext& context, const NewNode& where, bool exclusive, HandleId handle,
                                      OpenFlags flags) override;

  // remote_files.cc
  absl::StatusOr<OpenResult> Open(const CallContext& context, NodeId node, HandleId handle, OpenFlags flags,
                                  uint32_t inline_bytes) override;
  absl::Status Fsync(const CallContext& context, HandleId handle, bool data_only) override;
  absl::Status Fsyncdir(const CallContext& context, NodeId node, bool data_only) override;
  absl::Status Fallocate(const CallContext& context, HandleId handle, FallocateMode mode, bool keep_size,
                         uint64_t offset, uint64_t length) override;
  absl::StatusOr<uint64_t> Seek(const CallContext& context, HandleId handle, uint64_t offset,
                                SeekWhence whence) override;
  absl::StatusOr<uint64_t> CopyFileRange(const CallContext& context, HandleId source, uint64_t source_offset,
                                         HandleId destination, uint64_t destination_offset, uint64_t length) override;
  absl::StatusOr<LockRange> GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                    const LockRange& lock) override;
  absl::Status SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                       const LockRange& lock, absl::Duration wait) override;
  void Forget(absl::Span<const ForgottenNode> nodes) override;
  void Release(absl::Span<const HandleId> handles) override;

  // remote_bulk.cc
  absl::StatusOr<absl::Cord> Read(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size) override;
  void StartRead(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size, ReadDone done) override;
  absl::StatusOr<Written> Write(const CallContext& context, HandleId handle, uint64_t offset, absl::Cord data) override;

  // remote_xattrs.cc
  absl::StatusOr<std::string> GetXattr(const CallContext& context, NodeId node, std::string_view name) override;
  absl::Status SetXattr(const CallContext& context, NodeId node, std::string_view name, std::string_view value,
                        XattrMode mode) override;
  absl::StatusOr<std::vector<std::string>> ListXattr(const CallContext& context, NodeId node) override;
  absl::Status RemoveXattr(const CallContext& context, NodeId node, std::string_view name) override;

 private:
  // An entry that came in answer to a request that creates: one reference, from then on in the ledger.
  absl::StatusOr<Entry> TakeEntry(Method method, Generation generation, const v1::EntryReply& reply, NodeId parent,
                                  std::string_view name);
  // An open that nobody waits for any more may have had its effect: the agent is told to close what it may have opened.
  absl::Status GivenUp(absl::Status why, HandleId handle);
  bool LearnPage(Generation generation, const DirectoryPage& page, NodeId parent);
  absl::StatusOr<absl::Cord> ReadOne(const CallContext& context, const ReadRange& range);
  absl::StatusOr<ReadCombiner::Outcomes> ReadMany(const CallContext& context, absl::Span<const ReadRange> ranges);
  absl::StatusOr<Written> WriteChunk(const CallContext& context, HandleId handle, uint64_t offset,
                                     const absl::Cord& data);
  absl::Status SetLockOnce(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                           const LockRange& lock, absl::Duration wait);
  void RecordLock(HandleId handle, LockOwner owner, LockKind kind, const LockRange& lock);

  RemoteCaller& caller_;
  const SessionFacts& facts_;
  NodeLedger& nodes_;
  HandleLedger& handles_;
  GiveBackQueue& give_back_;
  ReadCombiner small_reads_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_REMOTE_FILE_SYSTEM_H_
