// Mknod, Mkdir, Symlink, Link.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

bool IsDevice(FileType type) { return type == FileType::kCharacterDevice || type == FileType::kBlockDevice; }

}  // namespace

absl::StatusOr<Entry> RootedFilesystemImpl::Mknod(const CallContext& context, const NewNode& where, FileType type,
                                                  uint32_t rdev_major, uint32_t rdev_minor) {
  if (!options_.read_write) return ErrnoStatus(EROFS);
  const bool special = type == FileType::kRegular || type == FileType::kFifo || type == FileType::kSocket;
  // A process in a user namespace never makes devices.
  const bool device = IsDevice(type) && options_.devices && options_.uids.IsIdentity();
  if (!special && !device) return ErrnoStatus(EPERM);
  ASSIGN_OR_RETURN(const FoundPlace place, FindPlaceToChange(where.parent, where.name));
  {
    ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {place.directory()}, where.umask));
    const mode_t mode = ToMode(type, where.permissions & kPermissionMask);
    const dev_t number = IsDevice(type) ? ::makedev(rdev_major, rdev_minor) : 0;
    if (::mknodat(place.directory(), place.name.c_str(), mode, number) != 0) return LastErrno("mknodat");
  }
  NoteCopyUp(place);
  RETURN_IF_ERROR(CheckAlive());
  return AdmitName(place, where.proposed);
}

absl::StatusOr<Entry> RootedFilesystemImpl::Mkdir(const CallContext& context, const NewNode& where) {
  ASSIGN_OR_RETURN(const FoundPlace place, FindPlaceToChange(where.parent, where.name));
  {
    ASSIGN_OR_RETURN(const ActingAs acting,
                     rights_.Assume(context, {place.directory()}, FaultPlanted("umask_ignored") ? 0 : where.umask));
    const mode_t mode = where.permissions & kPermissionMask;
    if (::mkdirat(place.directory(), place.name.c_str(), mode) != 0) return LastErrno("mkdirat");
  }
  NoteCopyUp(place);
  RETURN_IF_ERROR(CheckAlive());
  return AdmitName(place, where.proposed);
}

absl::StatusOr<Entry> RootedFilesystemImpl::Symlink(const CallContext& context, const NewNode& where,
                                                    std::string_view target) {
  ASSIGN_OR_RETURN(const FoundPlace place, FindPlaceToChange(where.parent, where.name));
  if (target.empty()) return ErrnoStatus(ENOENT);
  if (target.size() > kMaxTargetBytes) return ErrnoStatus(ENAMETOOLONG);
  if (target.find('\0') != target.npos) return ErrnoStatus(EINVAL);
  {
    ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {place.directory()}));
    const std::string text(target.substr(0, FaultPlanted("link_target_cut") ? 254 : target.npos));
    if (::symlinkat(text.c_str(), place.directory(), place.name.c_str()) != 0) return LastErrno("symlinkat");
  }
  NoteCopyUp(place);
  RETURN_IF_ERROR(CheckAlive());
  return AdmitName(place, where.proposed, std::string(target));
}

absl::StatusOr<Entry> RootedFilesystemImpl::Link(const CallContext& context, NodeId node, NodeId new_parent,
                                                 std::string_view new_name) {
  ASSIGN_OR_RETURN(const FoundPlace place, FindPlaceToChange(new_parent, new_name));
  ASSIGN_OR_RETURN(const FoundNode found, FindToChange(node));
  if (found.facts.type == FileType::kDirectory) return ErrnoStatus(EPERM);
  {
    ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {place.directory(), found.fd->get()}));
    const std::string source = ProcFdDirectory::PathOf(found.fd->get());
    if (::linkat(AT_FDCWD, source.c_str(), place.directory(), place.name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return LastErrno("linkat");
    }
  }
  NoteCopyUp(place);
  RETURN_IF_ERROR(CheckAlive());
  ASSIGN_OR_RETURN(const InspectedFile file, InspectChanged(node, found.fd->get()));
  ASSIGN_OR_RETURN(Entry entry, Admit(new_parent, place.name, file, found.fd->get(), NodeId::kInvalid));
  NoteDirectoryAfter(place, entry);
  return entry;
}

}  // namespace mirrorfs
