// Rename.
#include <fcntl.h>
#include <stdio.h>

#include <cerrno>

#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

unsigned RenameFlags(RenameMode mode) {
  switch (mode) {
    case RenameMode::kReplace:
      return 0;
    case RenameMode::kNoReplace:
      return FaultPlanted("noreplace_ignored") ? 0 : RENAME_NOREPLACE;
    case RenameMode::kExchange:
      return RENAME_EXCHANGE;
  }
  return 0;
}

}  // namespace

// The client's kernel goes on with the node under its new name without asking: it must be found there.
void RootedFilesystemImpl::NoteMoved(const Occupant& occupant, const FoundPlace& from, const FoundPlace& to) {
  if (occupant.node == NodeId::kInvalid) return;
  nodes_.AddAlias(occupant.node, to.parent, to.name);
  nodes_.RemoveAlias(occupant.node, from.parent, from.name);
  NoteCopyUp(occupant.node, {occupant.fd, occupant.file.facts});
}

absl::StatusOr<Renamed> RootedFilesystemImpl::Rename(const CallContext& context, NodeId parent, std::string_view name,
                                                     NodeId new_parent, std::string_view new_name, RenameMode mode) {
  ASSIGN_OR_RETURN(const FoundPlace from, FindPlaceToChange(parent, name));
  ASSIGN_OR_RETURN(const FoundPlace to, FindPlaceToChange(new_parent, new_name));
  const std::optional<Occupant> moved = FindOccupant(from);
  const std::optional<Occupant> other = FindOccupant(to);
  {
    ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {from.directory(), to.directory()}));
    if (::renameat2(from.directory(), from.name.c_str(), to.directory(), to.name.c_str(), RenameFlags(mode)) != 0) {
      return LastErrno("renameat2");
    }
  }
  NoteCopyUp(from);
  NoteCopyUp(to);
  // rename(2) leaves two names of one file as they are.
  const bool same = moved.has_value() && other.has_value() && moved->file.identity == other->file.identity &&
                    !moved->file.facts.per_name;
  if (moved.has_value() && !same) NoteMoved(*moved, from, to);
  if (other.has_value() && !same) {
    if (mode == RenameMode::kExchange) {
      NoteMoved(*other, to, from);
    } else {
      NoteRemoved(to, *other);
    }
  }
  Renamed renamed{AttributesAfter(from.found), AttributesAfter(to.found)};
  RETURN_IF_ERROR(CheckAlive());
  return renamed;
}

}  // namespace mirrorfs
