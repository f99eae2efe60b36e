// Open and Create.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>

#include "protos/rootfs/kernel_calls.h"
#include "protos/rootfs/read_file.h"
#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

// How often a name may vanish and come back between two calls of one Create.
constexpr int kCreateAttempts = 32;

int KernelFlags(const OpenFlags& flags) {
  int kernel = flags.write ? (flags.read ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (flags.append && !FaultPlanted("append_lost")) kernel |= O_APPEND;
  if (flags.truncate) kernel |= O_TRUNC;
  if (flags.direct) kernel |= O_DIRECT;
  if (flags.sync) kernel |= O_SYNC;
  if (flags.dsync) kernel |= O_DSYNC;
  if (flags.no_atime) kernel |= O_NOATIME;
  return kernel;
}

bool Changes(const OpenFlags& flags) { return flags.write || flags.append || flags.truncate; }

// O_DIRECT has been asked for so that the file system can refuse it. The data goes through buffers of ours that are
// not aligned for it, and the client's page cache is what the flag is about.
void DropDirect(int fd, const OpenFlags& flags) {
  if (flags.direct) ::fcntl(fd, F_SETFL, KernelFlags(flags) & (O_APPEND | O_NOATIME));
}

// Looks at the file behind a descriptor once more before it is opened for good: whatever the tables say, nothing but
// regular files and directories of real file systems is.
absl::Status CheckOpenable(int fd, const OpenFlags& flags) {
  struct stat stat = {};
  struct statfs filesystem = {};
  if (::fstat(fd, &stat) != 0 || ::fstatfs(fd, &filesystem) != 0) return LastErrno("fstat");
  if (IsPseudoFilesystem(static_cast<uint32_t>(filesystem.f_type))) return ErrnoStatus(EACCES);
  if (S_ISDIR(stat.st_mode)) return ErrnoStatus(Changes(flags) ? EISDIR : 0);
  return ErrnoStatus(S_ISREG(stat.st_mode) ? 0 : ENXIO);
}

}  // namespace

absl::Status RootedFilesystemImpl::CheckOpen(HandleId handle, const OpenFlags& flags) const {
  if (!options_.read_write && Changes(flags)) return ErrnoStatus(EROFS);
  if (handle == HandleId::kNone || handles_.Contains(handle)) return ErrnoStatus(EINVAL);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<void>> RootedFilesystemImpl::PlaceForOpenFile() const {
  std::shared_ptr<void> place = options_.admit_open_file();
  if (place == nullptr) return ErrnoStatus(ENFILE);
  return place;
}

absl::StatusOr<UniqueFd> RootedFilesystemImpl::OpenFound(const FoundNode& found, const OpenFlags& flags) {
  const int path = found.fd->get();
  RETURN_IF_ERROR(CheckOpenable(path, flags));
  int kernel_flags = KernelFlags(flags);
  UniqueFd fd(proc_.Reopen(path, kernel_flags));
  if (!fd && errno == EPERM && flags.no_atime) {
    kernel_flags &= ~O_NOATIME;
    fd.reset(proc_.Reopen(path, kernel_flags));
  }
  if (!fd && (errno == EMFILE || errno == ENFILE)) {
    fds_.Clear();
    fd.reset(proc_.Reopen(path, kernel_flags));
  }
  if (!fd) return LastErrno("open");
  DropDirect(fd.get(), flags);
  return fd;
}

absl::Status RootedFilesystemImpl::AddHandle(HandleId handle, OpenDescriptor file) {
  const NodeId node = file.node;
  if (!nodes_.Pin(node)) return ErrnoStatus(ESTALE);
  if (handles_.Add(handle, std::move(file))) return absl::OkStatus();
  fds_.Erase(nodes_.Unpin(node));
  return ErrnoStatus(EINVAL);
}

absl::StatusOr<OpenResult> RootedFilesystemImpl::Open(const CallContext& context, NodeId node, HandleId handle,
                                                      OpenFlags flags, uint32_t inline_bytes) {
  RETURN_IF_ERROR(CheckOpen(handle, flags));
  ASSIGN_OR_RETURN(std::shared_ptr<void> open_place, PlaceForOpenFile());
  ASSIGN_OR_RETURN(const FoundNode found, FindNode(node));
  SharedFd fd;
  {
    ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {found.fd->get()}));
    ASSIGN_OR_RETURN(UniqueFd opened, OpenFound(found, flags));
    fd = ShareFd(std::move(opened));
  }
  ASSIGN_OR_RETURN(InspectedFile file, InspectChanged(node, fd->get()));
  OpenResult result;
  if (flags.truncate) RETURN_IF_ERROR(CheckAlive());
  if (flags.write) result.has_capability = ::fgetxattr(fd->get(), "security.capability", nullptr, 0) >= 0;
  if (flags.read && inline_bytes > 0 && file.facts.type == FileType::kRegular) {
    absl::StatusOr<std::string> data = ReadStart(fd->get(), std::min<uint64_t>(inline_bytes, file.stat.stx_size));
    if (data.ok()) result.inline_data = *std::move(data);
    // After the reading, which may have moved atime.
    if (StatFd(fd->get(), &file.stat) != 0) return LastErrno("statx");
  }
  result.attributes = Shown(file, fd->get(), "");
  RETURN_IF_ERROR(
      AddHandle(handle, OpenDescriptor{std::move(fd), node, flags, file.facts.device, std::move(open_place)}));
  return result;
}

absl::StatusOr<SharedFd> RootedFilesystemImpl::CreateFile(const CallContext& context, const NewNode& where,
                                                          const FoundPlace& place, const OpenFlags& flags) {
  OpenFlags without = flags;
  without.truncate = false;
  const int kernel_flags = KernelFlags(without) | O_CREAT | O_EXCL;
  ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {place.directory()}, where.umask));
  const auto create = [&] {
    return OpenBeneath(place.directory(), place.name.c_str(), static_cast<uint64_t>(kernel_flags),
                       where.permissions & kPermissionMask);
  };
  UniqueFd fd(create());
  if (!fd && (errno == EMFILE || errno == ENFILE)) {
    fds_.Clear();
    fd.reset(create());
  }
  if (!fd) return LastErrno("create");
  DropDirect(fd.get(), flags);
  return ShareFd(std::move(fd));
}

absl::StatusOr<SharedFd> RootedFilesystemImpl::OpenExisting(const CallContext& context, const FoundPlace& place,
                                                            const OpenFlags& flags) {
  ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {place.directory()}));
  ASSIGN_OR_RETURN(SharedFd path, resolver_.OpenPath(place.directory(), place.name));
  struct stat stat = {};
  if (::fstat(path->get(), &stat) != 0) return LastErrno("fstat");
  if (S_ISLNK(stat.st_mode)) return ErrnoStatus(ELOOP);
  if (S_ISDIR(stat.st_mode)) return ErrnoStatus(EISDIR);
  ASSIGN_OR_RETURN(UniqueFd fd, OpenFound({std::move(path), {}}, flags));
  return ShareFd(std::move(fd));
}

absl::StatusOr<CreateResult> RootedFilesystemImpl::Create(const CallContext& context, const NewNode& where,
                                                          bool exclusive, HandleId handle, OpenFlags flags) {
  if (!options_.read_write) return ErrnoStatus(EROFS);
  RETURN_IF_ERROR(CheckOpen(handle, flags));
  ASSIGN_OR_RETURN(std::shared_ptr<void> open_place, PlaceForOpenFile());
  if (FaultPlanted("exclusive_lost")) exclusive = false;
  ASSIGN_OR_RETURN(const FoundPlace place, FindPlaceToChange(where.parent, where.name));
  CreateResult result;
  absl::StatusOr<SharedFd> fd = ErrnoStatus(EEXIST);
  for (int attempt = 0; attempt < kCreateAttempts; ++attempt) {
    fd = CreateFile(context, where, place, flags);
    result.created = fd.ok();
    if (fd.ok() || exclusive || ToErrno(fd.status()) != EEXIST) break;
    fd = OpenExisting(context, place, flags);
    if (fd.ok() || ToErrno(fd.status()) != ENOENT) break;
  }
  RETURN_IF_ERROR(fd.status());
  if (result.created) NoteCopyUp(place);
  const int number = (*fd)->get();
  ASSIGN_OR_RETURN(const InspectedFile file, inspector_.Inspect(number));
  RETURN_IF_ERROR(CheckAlive());
  ASSIGN_OR_RETURN(result.entry, Admit(place.parent, place.name, file, number, where.proposed));
  NoteDirectoryAfter(place, result.entry);
  OpenDescriptor open = {*std::move(fd), result.entry.node, flags, file.facts.device, std::move(open_place)};
  if (const absl::Status added = AddHandle(handle, std::move(open)); !added.ok()) {
    fds_.Erase(nodes_.Forget(result.entry.node, 1));
    return added;
  }
  return result;
}

}  // namespace mirrorfs
