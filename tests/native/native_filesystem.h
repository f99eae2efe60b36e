// The FileSystem port over plain system calls below a directory: on a native directory it is the oracle of the
// contract suite, on a mount it carries the suite through the kernel and the daemon.
#ifndef MIRRORFS_TESTS_NATIVE_NATIVE_FILESYSTEM_H_
#define MIRRORFS_TESTS_NATIVE_NATIVE_FILESYSTEM_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protos/shared/file_system.h"
#include "protos/shared/mutex.h"
#include "tests/native/native_handle_table.h"
#include "tests/native/native_node_table.h"

namespace mirrorfs {

struct NativeFileSystemOptions {
  UniqueFd root;  // O_PATH directory
  // Whose rights calls have. Neither: those of the process. `use_caller`: CallContext::caller of each call.
  std::optional<Caller> fixed;
  bool use_caller = false;
  bool devices = false;
};

// Thread-safe. What only the port promises (names that are checked, ids that go stale, types that are not opened) is
// done here; everything else is the kernel's answer. Read-only is the kernel's too: give it a read-only mount.
class NativeFileSystem : public FileSystem {
 public:
  explicit NativeFileSystem(NativeFileSystemOptions options);

  absl::StatusOr<Entry> Root() const;

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

  absl::StatusOr<OpenResult> Open(const CallContext& context, NodeId node, HandleId handle, OpenFlags flags,
                                  uint32_t inline_bytes) override;
  absl::StatusOr<CreateResult> Create(const CallContext& context, const NewNode& where, bool exclusive, HandleId handle,
                                      OpenFlags flags) override;
  absl::StatusOr<absl::Cord> Read(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size) override;
  absl::StatusOr<Written> Write(const CallContext& context, HandleId handle, uint64_t offset, absl::Cord data) override;
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

  absl::StatusOr<std::string> GetXattr(const CallContext& context, NodeId node, std::string_view name) override;
  absl::Status SetXattr(const CallContext& context, NodeId node, std::string_view name, std::string_view value,
                        XattrMode mode) override;
  absl::StatusOr<std::vector<std::string>> ListXattr(const CallContext& context, NodeId node) override;
  absl::Status RemoveXattr(const CallContext& context, NodeId node, std::string_view name) override;

  void Forget(absl::Span<const ForgottenNode> nodes) override;
  void Release(absl::Span<const HandleId> handles) override;

 private:
  using Names = std::vector<DirectoryEntry>;

  std::optional<Caller> Who(const CallContext& context) const;
  absl::StatusOr<Entry> EntryOf(int parent_fd, const std::string& name, NodeId proposed);
  absl::StatusOr<std::shared_ptr<const Names>> ListingOf(const NativeNode& directory, DirCursor& cursor);
  absl::StatusOr<OpenResult> Opened(NodeId node, HandleId id, UniqueFd fd, OpenFlags flags, uint32_t inline_bytes);

  const std::optional<Caller> fixed_;
  const bool use_caller_;
  const bool devices_;
  NativeNodeTable nodes_;
  NativeHandleTable handles_;
  Mutex mutex_;
  uint64_t next_listing_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, std::shared_ptr<const Names>> listings_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_NATIVE_NATIVE_FILESYSTEM_H_
