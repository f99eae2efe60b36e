// Unlink, Rmdir.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {

// What is about to lose its name, as well as can be told: whatever happens meanwhile, nodes are found again by
// identity and aliases are hints.
std::optional<RootedFilesystemImpl::Occupant> RootedFilesystemImpl::FindOccupant(const FoundPlace& place) {
  absl::StatusOr<SharedFd> fd = resolver_.OpenPath(place.directory(), place.name);
  if (!fd.ok()) return std::nullopt;
  absl::StatusOr<InspectedFile> file = inspector_.Inspect((*fd)->get());
  if (!file.ok()) return std::nullopt;
  const NodeId node = nodes_.FindFile(place.parent, place.name, file->identity);
  return Occupant{*std::move(fd), *std::move(file), node};
}

void RootedFilesystemImpl::NoteRemoved(const FoundPlace& place, const Occupant& occupant) {
  if (occupant.node == NodeId::kInvalid) return;
  nodes_.RemoveAlias(occupant.node, place.parent, place.name);
  NoteCopyUp(occupant.node, {occupant.fd, occupant.file.facts});
  // The client may go on with it (a current directory, a handle that is about to be opened): until it forgets it, or
  // the cache does.
  const bool last_name = occupant.file.stat.stx_nlink <= 1 || occupant.file.facts.type == FileType::kDirectory;
  if (last_name) fds_.Put(occupant.node, occupant.fd);
}

absl::StatusOr<Removed> RootedFilesystemImpl::Remove(const CallContext& context, NodeId parent, std::string_view name,
                                                     int flags) {
  ASSIGN_OR_RETURN(const FoundPlace place, FindPlaceToChange(parent, name));
  const std::optional<Occupant> occupant = FindOccupant(place);
  {
    ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {place.directory()}));
    if (::unlinkat(place.directory(), place.name.c_str(), flags) != 0) {
      return FaultPlanted("wrong_errno") && errno == ENOTEMPTY ? ErrnoStatus(EEXIST) : LastErrno("unlinkat");
    }
  }
  NoteCopyUp(place);
  if (occupant.has_value()) NoteRemoved(place, *occupant);
  Removed removed{AttributesAfter(place.found)};
  RETURN_IF_ERROR(CheckAlive());
  return removed;
}

absl::StatusOr<Removed> RootedFilesystemImpl::Unlink(const CallContext& context, NodeId parent, std::string_view name) {
  return Remove(context, parent, name, 0);
}

absl::StatusOr<Removed> RootedFilesystemImpl::Rmdir(const CallContext& context, NodeId parent, std::string_view name) {
  return Remove(context, parent, name, AT_REMOVEDIR);
}

}  // namespace mirrorfs
