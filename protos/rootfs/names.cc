// Lookup and Readlink.
#include <cerrno>

#include "protos/rootfs/component_name.h"
#include "protos/rootfs/link_target.h"
#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::StatusOr<Entry> RootedFilesystemImpl::Lookup(const CallContext& context, NodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckComponentName(name));
  ASSIGN_OR_RETURN(const FoundNode directory, FindDirectory(parent));
  if (directory.facts.refused) return ErrnoStatus(ENOENT);  // shown as an empty directory
  const std::string key(name);
  SharedFd fd;
  {
    ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {directory.fd->get()}));
    ASSIGN_OR_RETURN(fd, resolver_.OpenPath(directory.fd->get(), key));
  }
  ASSIGN_OR_RETURN(const InspectedFile file, inspector_.Inspect(fd->get()));
  ASSIGN_OR_RETURN(Entry entry, Admit(parent, key, file, fd->get(), NodeId::kInvalid));
  fds_.Put(entry.node, std::move(fd));
  return entry;
}

absl::StatusOr<std::string> RootedFilesystemImpl::Readlink(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const FoundNode found, FindNode(node));
  if (found.facts.type != FileType::kSymlink) return ErrnoStatus(EINVAL);
  if (found.facts.refused) return ErrnoStatus(EACCES);
  return ReadLinkTarget(found.fd->get(), "", 0);
}

}  // namespace mirrorfs
