// Forget, Release, Reclaim.
#include "protos/rootfs/component_name.h"
#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

void RootedFilesystemImpl::Forget(absl::Span<const ForgottenNode> nodes) {
  for (const ForgottenNode& forgotten : nodes) fds_.Erase(nodes_.Forget(forgotten.node, forgotten.count));
}

void RootedFilesystemImpl::Release(absl::Span<const HandleId> handles) {
  for (HandleId handle : handles) {
    const std::optional<OpenDescriptor> file = handles_.Remove(handle);
    if (!file.has_value()) continue;
    locks_.Release(handle, file->node);
    fds_.Erase(nodes_.Unpin(file->node));
  }
}

std::vector<HandleId> RootedFilesystemImpl::Reclaim(const std::vector<ReclaimedNode>& nodes,
                                                    const std::vector<ReclaimedHandle>& handles) {
  for (const ReclaimedNode& node : nodes) {
    const bool valid =
        node.node != NodeId::kRoot && CheckComponentName(node.name).ok() && DecodeIdentity(node.identity).has_value();
    // One that is not taken over is ESTALE from now on, as it should be.
    if (valid) nodes_.Adopt(node.node, node.parent, node.name, node.identity, node.count);
  }
  std::vector<HandleId> lost;
  for (const ReclaimedHandle& handle : handles) {
    if (ReclaimHandle(handle).ok()) continue;
    handles_.MarkLost(handle.handle);
    lost.push_back(handle.handle);
  }
  return lost;
}

// With the agent's rights: the client's were looked at when the file was opened, and the file may have been made so
// that it cannot be opened a second time.
absl::Status RootedFilesystemImpl::ReclaimHandle(const ReclaimedHandle& handle) {
  RETURN_IF_ERROR(CheckOpen(handle.handle, handle.flags));
  ASSIGN_OR_RETURN(std::shared_ptr<void> place, PlaceForOpenFile());
  ASSIGN_OR_RETURN(const FoundNode found, FindNode(handle.node));
  OpenFlags flags = handle.flags;
  flags.truncate = false;
  ASSIGN_OR_RETURN(UniqueFd fd, OpenFound(found, flags));
  ASSIGN_OR_RETURN(const InspectedFile file, InspectChanged(handle.node, fd.get()));
  return AddHandle(handle.handle,
                   OpenDescriptor{ShareFd(std::move(fd)), handle.node, flags, file.facts.device, std::move(place)});
}

}  // namespace mirrorfs
