// The rooted file system's parts and operations. Each operation is in the file that is named after its kind.
#ifndef MIRRORFS_PROTOS_ROOTFS_ROOTED_FILESYSTEM_IMPL_H_
#define MIRRORFS_PROTOS_ROOTFS_ROOTED_FILESYSTEM_IMPL_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protos/rootfs/attribute_conversion.h"
#include "protos/rootfs/descriptor_table.h"
#include "protos/rootfs/directory_listings.h"
#include "protos/rootfs/fd_cache.h"
#include "protos/rootfs/file_inspector.h"
#include "protos/rootfs/lock_table.h"
#include "protos/rootfs/node_resolver.h"
#include "protos/rootfs/node_table.h"
#include "protos/rootfs/periodic_task.h"
#include "protos/rootfs/proc_fd_directory.h"
#include "protos/rootfs/rooted_filesystem.h"
#include "protos/rootfs/session_rights.h"

namespace mirrorfs {

// Thread-safe. An operation finds its files with the agent's rights, then does the one system call that matters with
// those of the identity (ActingAs), then looks at the result with the agent's again.
class RootedFilesystemImpl final : public RootedFilesystem {
 public:
  RootedFilesystemImpl(RootedFilesystemOptions options, ProcFdDirectory proc, SharedFd root, InspectedFile root_file,
                       size_t descriptors);

  // rooted_filesystem.cc
  absl::StatusOr<Entry> Root(const CallContext& context) override;
  uint64_t DeviceOf(NodeOrHandle file) const override;

  // references.cc
  std::vector<HandleId> Reclaim(const std::vector<ReclaimedNode>& nodes,
                                const std::vector<ReclaimedHandle>& handles) override;
  void GiveOutFrom(NodeId first) override { nodes_.GiveOutFrom(first); }
  void Forget(absl::Span<const ForgottenNode> nodes) override;
  void Release(absl::Span<const HandleId> handles) override;

  // names.cc
  absl::StatusOr<Entry> Lookup(const CallContext& context, NodeId parent, std::string_view name) override;
  absl::StatusOr<std::string> Readlink(const CallContext& context, NodeId node) override;

  // attributes.cc
  absl::StatusOr<AttributesReply> GetAttr(const CallContext& context, NodeOrHandle file) override;
  absl::StatusOr<AttributesReply> SetAttr(const CallContext& context, NodeOrHandle file,
                                          const AttributeChange& change) override;
  absl::Status Access(const CallContext& context, NodeId node, AccessMask mask) override;
  absl::StatusOr<FileSystemStatistics> StatFs(const CallContext& context, NodeId node) override;

  // directories.cc
  absl::StatusOr<DirectoryPage> ReadDir(const CallContext& context, NodeId node, DirCursor cursor, uint32_t max_bytes,
                                        bool with_attributes) override;
  void CloseDir(NodeId node, DirCursor cursor) override;
  absl::Status Fsyncdir(const CallContext& context, NodeId node, bool data_only) override;

  // creation.cc
  absl::StatusOr<Entry> Mknod(const CallContext& context, const NewNode& where, FileType type, uint32_t rdev_major,
                              uint32_t rdev_minor) override;
  absl::StatusOr<Entry> Mkdir(const CallContext& context, const NewNode& where) override;
  absl::StatusOr<Entry> Symlink(const CallContext& context, const NewNode& where, std::string_view target) override;
  absl::StatusOr<Entry> Link(const CallContext& context, NodeId node, NodeId new_parent,
                             std::string_view new_name) override;

  // removal.cc
  absl::StatusOr<Removed> Unlink(const CallContext& context, NodeId parent, std::string_view name) override;
  absl::StatusOr<Removed> Rmdir(const CallContext& context, NodeId parent, std::string_view name) override;

  // rename.cc
  absl::StatusOr<Renamed> Rename(const CallContext& context, NodeId parent, std::string_view name, NodeId new_parent,
                                 std::string_view new_name, RenameMode mode) override;

  // opening.cc
  absl::StatusOr<OpenResult> Open(const CallContext& context, NodeId node, HandleId handle, OpenFlags flags,
                                  uint32_t inline_bytes) override;
  absl::StatusOr<CreateResult> Create(const CallContext& context, const NewNode& where, bool exclusive, HandleId handle,
                                      OpenFlags flags) override;

  // file_data.cc
  absl::StatusOr<absl::Cord> Read(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size) override;
  absl::StatusOr<Written> Write(const CallContext& context, HandleId handle, uint64_t offset, absl::Cord data) override;
  absl::Status Fsync(const CallContext& context, HandleId handle, bool data_only) override;

  // file_space.cc
  absl::Status Fallocate(const CallContext& context, HandleId handle, FallocateMode mode, bool keep_size,
                         uint64_t offset, uint64_t length) override;
  absl::StatusOr<uint64_t> Seek(const CallContext& context, HandleId handle, uint64_t offset,
                                SeekWhence whence) override;
  absl::StatusOr<uint64_t> CopyFileRange(const CallContext& context, HandleId source, uint64_t source_offset,
                                         HandleId destination, uint64_t destination_offset, uint64_t length) override;

  // locks.cc
  absl::StatusOr<LockRange> GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                    const LockRange& lock) override;
  absl::Status SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                       const LockRange& lock, absl::Duration wait) override;

  // xattrs.cc
  absl::StatusOr<std::string> GetXattr(const CallContext& context, NodeId node, std::string_view name) override;
  absl::Status SetXattr(const CallContext& context, NodeId node, std::string_view name, std::string_view value,
                        XattrMode mode) override;
  absl::StatusOr<std::vector<std::string>> ListXattr(const CallContext& context, NodeId node) override;
  absl::Status RemoveXattr(const CallContext& context, NodeId node, std::string_view name) override;

 private:
  // A node, found: what every operation starts from.
  struct FoundNode {
    SharedFd fd;
    IdentityFacts facts;
  };
  // A directory and a name in it, found and checked.
  struct FoundPlace {
    NodeId parent = NodeId::kInvalid;
    FoundNode found;
    std::string name;

    int directory() const { return found.fd->get(); }
  };
  // What lies under a name before that is changed. The node is kInvalid if the client does not know it.
  struct Occupant {
    SharedFd fd;
    InspectedFile file;
    NodeId node = NodeId::kInvalid;
  };

  // rooted_filesystem.cc
  absl::StatusOr<FoundNode> FindNode(NodeId node);
  // ENOTDIR unless it is a directory.
  absl::StatusOr<FoundNode> FindDirectory(NodeId node);
  // For what changes the node: EROFS in a read-only session, EACCES on a refused file system.
  absl::StatusOr<FoundNode> FindToChange(NodeId node);
  // For what changes a name: also checks the name.
  absl::StatusOr<FoundPlace> FindPlaceToChange(NodeId parent, std::string_view name);
  // Gives the file out: one more reference to its node.
  // `link_target`: of a symbolic link, if it is known; else it is read.
  absl::StatusOr<Entry> Admit(NodeId parent, const std::string& name, const InspectedFile& file, int fd,
                              NodeId proposed, std::string link_target = {});
  absl::StatusOr<Entry> AdmitName(const FoundPlace& place, NodeId proposed, std::string link_target = {});
  // As the client sees it. `directory` and `name` as FileInspector took them.
  Attributes Shown(const InspectedFile& file, int directory, const char* name) const;
  // Empty for anything but a symbolic link. `directory` and `name` as ReadLinkTarget takes them.
  absl::StatusOr<std::string> LinkTarget(const InspectedFile& file, int directory, const char* name) const;
  // After a change that may have copied the file up, and its identity with it.
  absl::StatusOr<InspectedFile> InspectChanged(NodeId node, int fd);
  void NoteCopyUp(NodeId node, const FoundNode& found);
  // The same for a directory in which a name has changed.
  void NoteCopyUp(const FoundPlace& place);
  // EHOSTDOWN when the container is gone: a mutation is not acknowledged then.
  absl::Status CheckAlive() const;
  void Tidy();

  // attributes.cc
  // As they are now, after a change: of a directory in which a name has changed, of a file that was written. Nothing
  // if they cannot be had.
  std::optional<Attributes> AttributesAfter(const FoundNode& directory) const;
  std::optional<Attributes> AttributesAfter(const OpenDescriptor& file) const;
  void NoteDirectoryAfter(const FoundPlace& place, Entry& entry) const;
  absl::Status ApplyChange(const FoundNode& found, bool writable, const AttributeChange& change) const;
  absl::StatusOr<bool> IsPartOfWriting(const FoundNode& found, const AttributeChange& change) const;
  absl::Status ChangeOwner(int fd, const AttributeChange& change) const;

  // directories.cc
  struct RawEntry;
  absl::StatusOr<DirectoryListings::ListingPtr> OpenListing(const CallContext& context, NodeId node,
                                                            const FoundNode& found);
  absl::StatusOr<DirectoryPage> ReadPage(const FoundNode& found, DirectoryListing& listing, int64_t start,
                                         uint32_t max_bytes, bool with_attributes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(listing.mutex);
  DirectoryEntry Describe(const FoundNode& directory, NodeId parent, const RawEntry& raw, bool with_attributes);

  // removal.cc
  std::optional<Occupant> FindOccupant(const FoundPlace& place);
  void NoteRemoved(const FoundPlace& place, const Occupant& occupant);
  absl::StatusOr<Removed> Remove(const CallContext& context, NodeId parent, std::string_view name, int flags);

  // rename.cc
  void NoteMoved(const Occupant& occupant, const FoundPlace& from, const FoundPlace& to);

  // opening.cc
  absl::Status CheckOpen(HandleId handle, const OpenFlags& flags) const;
  absl::StatusOr<std::shared_ptr<void>> PlaceForOpenFile() const;
  absl::StatusOr<UniqueFd> OpenFound(const FoundNode& found, const OpenFlags& flags);
  absl::StatusOr<SharedFd> CreateFile(const CallContext& context, const NewNode& where, const FoundPlace& place,
                                      const OpenFlags& flags);
  absl::StatusOr<SharedFd> OpenExisting(const CallContext& context, const FoundPlace& place, const OpenFlags& flags);
  absl::Status AddHandle(HandleId handle, OpenDescriptor file);

  // references.cc
  absl::Status ReclaimHandle(const ReclaimedHandle& handle);

  RootedFilesystemOptions options_;
  const ProcFdDirectory proc_;
  const SharedFd root_;
  const AttributeConversion conversion_;
  const SessionRights rights_;
  FileInspector inspector_;
  NodeTable nodes_;
  DescriptorTable handles_;
  FdCache fds_;
  DirectoryListings listings_;
  LockTable locks_;
  NodeResolver resolver_;
  PeriodicTask tidying_;  // last: its thread ends first
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_ROOTED_FILESYSTEM_IMPL_H_
