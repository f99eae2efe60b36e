// GetAttr, SetAttr, Access, StatFs.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "protos/rootfs/kernel_calls.h"
#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kUnchangedId = UINT32_MAX;  // what chown(2) takes for "leave it"

timespec ToTimespec(const std::optional<TimeValue>& value) {
  if (!value.has_value()) return {0, UTIME_OMIT};
  if (value->now) return {0, UTIME_NOW};
  const SplitTime time = Split(value->ns);
  return {time.seconds, time.nanoseconds};
}

absl::Status ChangeSize(int fd, FileType type, bool writable, uint64_t size) {
  if (type == FileType::kDirectory) return ErrnoStatus(EISDIR);
  if (type != FileType::kRegular || size > static_cast<uint64_t>(kMaxFileOffset)) return ErrnoStatus(EINVAL);
  const auto length = static_cast<off_t>(size);
  const int result = writable ? ::ftruncate(fd, length) : ::truncate(ProcFdDirectory::PathOf(fd).c_str(), length);
  return ErrnoStatus(result == 0 ? 0 : errno);
}

absl::Status ChangePermissions(int fd, FileType type, uint32_t permissions) {
  if (type == FileType::kSymlink) return ErrnoStatus(EOPNOTSUPP);
  const int result = ::fchmodat(AT_FDCWD, ProcFdDirectory::PathOf(fd).c_str(), permissions & kPermissionMask, 0);
  return ErrnoStatus(result == 0 ? 0 : errno);
}

absl::Status ChangeTimes(int fd, const AttributeChange& change) {
  const timespec times[2] = {ToTimespec(change.atime), ToTimespec(change.mtime)};
  return ErrnoStatus(::utimensat(fd, "", times, AT_EMPTY_PATH) == 0 ? 0 : errno);
}

// What is left of chown(path, -1, -1): it moves ctime.
bool ChangesNothing(const AttributeChange& change) {
  return !change.permissions && !change.uid && !change.gid && !change.size && !change.atime && !change.mtime;
}

}  // namespace

absl::StatusOr<AttributesReply> RootedFilesystemImpl::GetAttr(const CallContext& context, NodeOrHandle file) {
  if (file.handle != HandleId::kNone) {
    ASSIGN_OR_RETURN(const OpenDescriptor open, handles_.Find(file.handle));
    ASSIGN_OR_RETURN(const InspectedFile inspected, inspector_.Inspect(open.fd->get()));
    return AttributesReply{Shown(inspected, open.fd->get(), "")};
  }
  ASSIGN_OR_RETURN(const FoundNode found, FindNode(file.node));
  InspectedFile inspected;
  inspected.facts = found.facts;  // the identity has been compared, or the descriptor is held
  if (StatFd(found.fd->get(), &inspected.stat) != 0) return LastErrno("statx");
  return AttributesReply{Shown(inspected, found.fd->get(), "")};
}

std::optional<Attributes> RootedFilesystemImpl::AttributesAfter(const FoundNode& directory) const {
  InspectedFile inspected;
  inspected.facts = directory.facts;
  if (StatFd(directory.fd->get(), &inspected.stat) != 0) return std::nullopt;
  return Shown(inspected, directory.fd->get(), "");
}

std::optional<Attributes> RootedFilesystemImpl::AttributesAfter(const OpenDescriptor& file) const {
  InspectedFile inspected;
  inspected.facts.type = FileType::kRegular;
  inspected.facts.device = file.device;
  if (StatFd(file.fd->get(), &inspected.stat) != 0) return std::nullopt;
  return Shown(inspected, file.fd->get(), "");
}

void RootedFilesystemImpl::NoteDirectoryAfter(const FoundPlace& place, Entry& entry) const {
  if (const auto directory = AttributesAfter(place.found))
    entry.directory = std::make_shared<const Attributes>(*directory);
}

absl::StatusOr<AttributesReply> RootedFilesystemImpl::SetAttr(const CallContext& context, NodeOrHandle file,
                                                              const AttributeChange& change) {
  if (!options_.read_write) return ErrnoStatus(EROFS);
  FoundNode found;
  bool writable = false;
  if (file.handle != HandleId::kNone) {
    ASSIGN_OR_RETURN(OpenDescriptor open, handles_.Find(file.handle));
    ASSIGN_OR_RETURN(const InspectedFile inspected, inspector_.Inspect(open.fd->get()));
    file.node = open.node;
    writable = open.flags.write;
    found = {std::move(open.fd), inspected.facts};
  } else {
    ASSIGN_OR_RETURN(found, FindToChange(file.node));
  }
  ASSIGN_OR_RETURN(const bool writes, IsPartOfWriting(found, change));
  AttributeChange with_callers_rights = change;
  {
    ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {found.fd->get()}));
    if (writes && AccessFd(found.fd->get(), W_OK) == 0) with_callers_rights.permissions.reset();
    const absl::Status applied = ChangesNothing(change) ? ChangeOwner(found.fd->get(), change)
                                                        : ApplyChange(found, writable, with_callers_rights);
    // A change that fails in the middle, or even is refused, may have copied the file up.
    if (!applied.ok()) NoteCopyUp(file.node, found);
    RETURN_IF_ERROR(applied);
  }
  if (change.permissions && !with_callers_rights.permissions) {
    RETURN_IF_ERROR(ChangePermissions(found.fd->get(), found.facts.type, *change.permissions));
  }
  ASSIGN_OR_RETURN(const InspectedFile inspected, InspectChanged(file.node, found.fd->get()));
  RETURN_IF_ERROR(CheckAlive());
  return AttributesReply{Shown(inspected, found.fd->get(), "")};
}

// The client's kernel clears suid and sgid for a program that writes or truncates, by a change of permissions in that
// program's name. Whoever may write may do that, though he is not the owner.
absl::StatusOr<bool> RootedFilesystemImpl::IsPartOfWriting(const FoundNode& found,
                                                           const AttributeChange& change) const {
  if (!change.permissions || found.facts.type != FileType::kRegular) return false;
  struct statx stat = {};
  if (StatFd(found.fd->get(), &stat) != 0) return LastErrno("statx");
  const uint32_t now = stat.stx_mode & kPermissionMask;
  return now != *change.permissions && (now & *change.permissions) == *change.permissions &&
         ((now ^ *change.permissions) & ~static_cast<uint32_t>(S_ISUID | S_ISGID)) == 0;
}

absl::Status RootedFilesystemImpl::ApplyChange(const FoundNode& found, bool writable,
                                               const AttributeChange& change) const {
  const int fd = found.fd->get();
  if (change.size.has_value()) RETURN_IF_ERROR(ChangeSize(fd, found.facts.type, writable, *change.size));
  if (change.uid.has_value() || change.gid.has_value()) RETURN_IF_ERROR(ChangeOwner(fd, change));
  if (change.permissions.has_value()) {
    RETURN_IF_ERROR(ChangePermissions(fd, found.facts.type, *change.permissions));
  }
  if (change.atime.has_value() || change.mtime.has_value()) RETURN_IF_ERROR(ChangeTimes(fd, change));
  return absl::OkStatus();
}

absl::Status RootedFilesystemImpl::ChangeOwner(int fd, const AttributeChange& change) const {
  uint32_t uid = kUnchangedId;
  uint32_t gid = kUnchangedId;
  if (change.uid.has_value()) {
    const std::optional<uint32_t> mapped = options_.uids.ToAgent(*change.uid);
    if (!mapped.has_value()) return ErrnoStatus(EINVAL);
    uid = *mapped;
  }
  if (change.gid.has_value()) {
    const std::optional<uint32_t> mapped = options_.gids.ToAgent(*change.gid);
    if (!mapped.has_value()) return ErrnoStatus(EINVAL);
    gid = *mapped;
  }
  return ErrnoStatus(::fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0 ? 0 : errno);
}

absl::Status RootedFilesystemImpl::Access(const CallContext& context, NodeId node, AccessMask mask) {
  ASSIGN_OR_RETURN(const FoundNode found, FindNode(node));
  const FileType type = found.facts.type;
  const bool on_read_only = type == FileType::kRegular || type == FileType::kDirectory || type == FileType::kSymlink;
  if (mask.write && !options_.read_write && on_read_only) return ErrnoStatus(EROFS);
  if (mask.write && found.facts.refused) return ErrnoStatus(EACCES);
  const int mode = (mask.read ? R_OK : 0) | (mask.write ? W_OK : 0) | (mask.execute ? X_OK : 0);
  ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {found.fd->get()}));
  return ErrnoStatus(AccessFd(found.fd->get(), mode) == 0 ? 0 : errno);
}

absl::StatusOr<FileSystemStatistics> RootedFilesystemImpl::StatFs(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const FoundNode found, FindNode(node));
  struct statfs kernel = {};
  if (::fstatfs(found.fd->get(), &kernel) != 0) return LastErrno("fstatfs");
  FileSystemStatistics statistics;
  statistics.block_size = static_cast<uint64_t>(kernel.f_bsize);
  statistics.fragment_size = static_cast<uint64_t>(kernel.f_frsize != 0 ? kernel.f_frsize : kernel.f_bsize);
  statistics.blocks = kernel.f_blocks;
  statistics.blocks_free = kernel.f_bfree;
  statistics.blocks_available = kernel.f_bavail;
  statistics.files = kernel.f_files;
  statistics.files_free = kernel.f_ffree;
  statistics.name_max = static_cast<uint32_t>(kernel.f_namelen);
  return statistics;
}

}  // namespace mirrorfs
