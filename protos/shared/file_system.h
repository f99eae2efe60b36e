// The port between the daemon and whatever serves the container's files: the same verbs at every hop, from the FUSE
// request to the system call. Implemented by the agent's rooted file system and by the daemon's gRPC client, and
// tested by one contract suite on both.
//
// Contract of every call:
//  * A file system error is a Status with an errno (errno_status.h). Another Status means that no answer could be had.
//  * A name is one path component: 1 to 255 bytes, without NUL and '/', and neither "." nor ".."; else EINVAL
//    (ENAMETOOLONG for a longer one). Symbolic links are never followed.
//  * An id that was never given out, or is forgotten, is ESTALE (node) or EBADF (handle), never a crash.
//  * In a read-only session every call marked [w] is EROFS, and Open and Create with write, append or truncate too.
//  * Calls may come from any thread, at the same time. They block: until done, the deadline, or a requested stop.
#ifndef MIRRORFS_PROTOS_SHARED_FILE_SYSTEM_H_
#define MIRRORFS_PROTOS_SHARED_FILE_SYSTEM_H_

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "protos/shared/file_types.h"
#include "protos/shared/ids.h"

namespace mirrorfs {

// On whose behalf a call is made. Used in sessions of identity `caller`, ignored in others.
struct Caller {
  uint32_t uid = 0;
  uint32_t gid = 0;
  // Supplementary groups; needed by the calls that create, and by SetAttr of permissions or gid.
  std::vector<uint32_t> groups;

  bool operator==(const Caller&) const = default;
};

// What goes with a call: who asks, and how long it may take.
struct CallContext {
  Caller caller;
  // ETIMEDOUT after that. A mutation that gives it has not been done, or its outcome is unknown and it is fenced:
  // it will not be done later.
  absl::Time deadline = absl::InfiniteFuture();
  // When the program's request began that this call is made for: all calls that are made for it wait for a sign of life
  // together no longer than one would. Left out: the call stands for itself.
  absl::Time begun = absl::InfinitePast();
  // Asked to stop, the call ends soon with EINTR.
  std::stop_token stop;
};

// A node, reached by the handle where there is one (it works on a file that has no name any more).
struct NodeOrHandle {
  NodeId node = NodeId::kInvalid;
  HandleId handle = HandleId::kNone;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // --- Names and attributes
  virtual absl::StatusOr<Entry> Lookup(const CallContext& context, NodeId parent, std::string_view name) = 0;
  // As Lookup, of a name that can be looked up without asking anybody far away while listing its directory would ask.
  // Nothing: it is not such a name.
  virtual std::optional<absl::StatusOr<Entry>> LookupHere(const CallContext& /*context*/, NodeId /*parent*/,
                                                          std::string_view /*name*/) {
    return std::nullopt;
  }
  virtual absl::StatusOr<AttributesReply> GetAttr(const CallContext& context, NodeOrHandle file) = 0;
  // [w] Applied in the order size, owner, permissions, times. The first error ends it.
  virtual absl::StatusOr<AttributesReply> SetAttr(const CallContext& context, NodeOrHandle file,
                                                  const AttributeChange& change) = 0;
  virtual absl::StatusOr<std::string> Readlink(const CallContext& context, NodeId node) = 0;
  // As access(2) with the effective ids.
  virtual absl::Status Access(const CallContext& context, NodeId node, AccessMask mask) = 0;
  // One page of about `max_bytes` of the directory from `cursor`. A listing that is not read to its end is ended with
  // CloseDir. A cursor is used by one caller at a time; asking again with the same cursor gives the same page.
  virtual absl::StatusOr<DirectoryPage> ReadDir(const CallContext& context, NodeId node, DirCursor cursor,
                                                uint32_t max_bytes, bool with_attributes) = 0;
  virtual void CloseDir(NodeId node, DirCursor cursor) = 0;
  virtual absl::StatusOr<FileSystemStatistics> StatFs(const CallContext& context, NodeId node) = 0;

  // --- Changing the tree. [w] all of them. `umask` applies unless the parent has a default ACL.
  struct NewNode {
    NodeId parent = NodeId::kInvalid;
    std::string_view name;
    uint32_t permissions = 0;
    uint32_t umask = 0;
    NodeId proposed = NodeId::kInvalid;  // the client's wish (kClientNodeBit set); kInvalid: the agent chooses
  };
  // Regular files, FIFOs, sockets; character and block devices where the session allows devices (else EPERM).
  virtual absl::StatusOr<Entry> Mknod(const CallContext& context, const NewNode& where, FileType type,
                                      uint32_t rdev_major, uint32_t rdev_minor) = 0;
  virtual absl::StatusOr<Entry> Mkdir(const CallContext& context, const NewNode& where) = 0;
  // permissions and umask of `where` are not used.
  virtual absl::StatusOr<Entry> Symlink(const CallContext& context, const NewNode& where, std::string_view target) = 0;
  virtual absl::StatusOr<Entry> Link(const CallContext& context, NodeId node, NodeId new_parent,
                                     std::string_view new_name) = 0;
  virtual absl::StatusOr<Removed> Unlink(const CallContext& context, NodeId parent, std::string_view name) = 0;
  virtual absl::StatusOr<Removed> Rmdir(const CallContext& context, NodeId parent, std::string_view name) = 0;
  virtual absl::StatusOr<Renamed> Rename(const CallContext& context, NodeId parent, std::string_view name,
                                         NodeId new_parent, std::string_view new_name, RenameMode mode) = 0;

  // --- Open files. The client chooses handle ids; one that is in use is EINVAL.
  // Regular files only: EISDIR for a directory opened for writing, ENXIO for anything else that cannot be opened.
  virtual absl::StatusOr<OpenResult> Open(const CallContext& context, NodeId node, HandleId handle, OpenFlags flags,
                                          uint32_t inline_bytes) = 0;
  // [w] As open(2) with O_CREAT, and O_EXCL if `exclusive`. A name that is there and not a regular file: EEXIST if
  // exclusive, else ELOOP for a symbolic link, EISDIR for a directory, ENXIO for others.
  virtual absl::StatusOr<CreateResult> Create(const CallContext& context, const NewNode& where, bool exclusive,
                                              HandleId handle, OpenFlags flags) = 0;
  // Short only at the end of the file.
  virtual absl::StatusOr<absl::Cord> Read(const CallContext& context, HandleId handle, uint64_t offset,
                                          uint32_t size) = 0;
  // [w] Writes all of it or fails; a count below data.size() is what was written before an error that a repeat
  // will meet (ENOSPC, EFBIG).
  virtual absl::StatusOr<Written> Write(const CallContext& context, HandleId handle, uint64_t offset,
                                        absl::Cord data) = 0;
  virtual absl::Status Fsync(const CallContext& context, HandleId handle, bool data_only) = 0;
  virtual absl::Status Fsyncdir(const CallContext& context, NodeId node, bool data_only) = 0;
  // [w]
  virtual absl::Status Fallocate(const CallContext& context, HandleId handle, FallocateMode mode, bool keep_size,
                                 uint64_t offset, uint64_t length) = 0;
  virtual absl::StatusOr<uint64_t> Seek(const CallContext& context, HandleId handle, uint64_t offset,
                                        SeekWhence whence) = 0;
  // [w] Done without moving the data. May copy less than `length`, as copy_file_range(2).
  virtual absl::StatusOr<uint64_t> CopyFileRange(const CallContext& context, HandleId source, uint64_t source_offset,
                                                 HandleId destination, uint64_t destination_offset,
                                                 uint64_t length) = 0;
  // What is in the way of `lock`: a lock of type kUnlock if nothing is.
  virtual absl::StatusOr<LockRange> GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                            const LockRange& lock) = 0;
  // Allowed in read-only sessions. EAGAIN if another owner holds it and still does after `wait`
  // (the agent shortens a long wait: ask again).
  virtual absl::Status SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                               const LockRange& lock, absl::Duration wait) = 0;

  // --- Extended attributes
  virtual absl::StatusOr<std::string> GetXattr(const CallContext& context, NodeId node, std::string_view name) = 0;
  // [w]
  virtual absl::Status SetXattr(const CallContext& context, NodeId node, std::string_view name, std::string_view value,
                                XattrMode mode) = 0;
  virtual absl::StatusOr<std::vector<std::string>> ListXattr(const CallContext& context, NodeId node) = 0;
  // [w]
  virtual absl::Status RemoveXattr(const CallContext& context, NodeId node, std::string_view name) = 0;

  // --- Giving back. These cannot fail for the caller; the gRPC client sends them in batches.
  virtual void Forget(absl::Span<const ForgottenNode> nodes) = 0;
  // Also drops the locks that were taken through these handles.
  virtual void Release(absl::Span<const HandleId> handles) = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_SHARED_FILE_SYSTEM_H_
