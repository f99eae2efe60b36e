// GetAttr, SetAttr, Access, StatFs.
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {
namespace {

// The container's inode numbers are shown as they are: they have the highest bit clear. The other sides set it.
constexpr uint64_t kNotTheContainers = uint64_t{1} << 63;
constexpr uint64_t kTheLayers = uint64_t{1} << 62;

}  // namespace

uint64_t ViewFileSystemImpl::ShownInode(Side side, uint64_t inode) const {
  if (side == Side::kContainer || !Has(Side::kContainer)) return inode;
  // Bit 62 says "of another file system than the root's", where the rest is mixed.
  const uint64_t folded = (inode & ~(kNotTheContainers | kTheLayers)) ^ ((inode & kTheLayers) >> 1);
  return folded | kNotTheContainers | (side == Side::kLayer ? kTheLayers : 0);
}

Attributes ViewFileSystemImpl::Shown(const ViewNode& node, Side side, Attributes attributes) const {
  attributes.inode = ShownInode(side, attributes.inode);
  if (side == Side::kLayer) {
    const LayerRecord record = node.Record();
    if (record.inode) attributes.inode = *record.inode;
    if (RecordsOwners()) {
      attributes.uid = record.owner ? record.owner->uid : options_.layer->info().shown_uid;
      attributes.gid = record.owner ? record.owner->gid : options_.layer->info().shown_gid;
      if (record.owner) attributes.permissions = record.owner->permissions;
    }
    const bool merged = node.IsDirectory() && (record.base || record.from) && !record.opaque;
    if (merged) attributes.nlink = 1;  // not known without counting: programs take that for "not told"
  } else if (node.HiddenNames() != 0 && !node.IsDirectory()) {
    attributes.nlink -= std::min(attributes.nlink, node.HiddenNames());
  }
  return attributes;
}

std::optional<Attributes> ViewFileSystemImpl::ShownAfterwards(const ViewNode& directory, Side side,
                                                              const std::optional<Attributes>& attributes) const {
  if (!attributes || directory.Serving() != side) return std::nullopt;
  return Shown(directory, side, *attributes);
}

std::optional<Attributes> ViewFileSystemImpl::LayerTells(const CallContext& context, const ViewNode& directory) {
  const absl::StatusOr<Attributes> attributes = AttributesOf(AsDaemon(context), directory, HandleId::kNone);
  return attributes.ok() ? std::optional(*attributes) : std::nullopt;
}

absl::StatusOr<Attributes> ViewFileSystemImpl::AttributesOf(const CallContext& context, const ViewNode& node,
                                                            HandleId handle) {
  ASSIGN_OR_RETURN(const Inner inner, ServingInner(node));
  ASSIGN_OR_RETURN(const AttributesReply reply, inner.files->GetAttr(context, {.node = inner.node, .handle = handle}));
  return Shown(node, inner.side, reply.attributes);
}

absl::StatusOr<AttributesReply> ViewFileSystemImpl::GetAttr(const CallContext& context, NodeOrHandle file) {
  if (file.handle == HandleId::kNone) {
    ASSIGN_OR_RETURN(const ViewNodePtr node, FindNode(file.node));
    ASSIGN_OR_RETURN(const Attributes attributes, AttributesOf(context, *node, HandleId::kNone));
    return AttributesReply{attributes};
  }
  ASSIGN_OR_RETURN(const ViewHandlePtr handle, FindHandle(file.handle));
  const ViewNode& node = *handle->node;
  Side answered = Side::kContainer;
  ASSIGN_OR_RETURN(const AttributesReply reply, OnHandle(*handle, [&](Side side) {
                     answered = side;
                     return On(side).GetAttr(context, {.node = node.On(side).node, .handle = handle->id});
                   }));
  return AttributesReply{Shown(node, answered, reply.attributes)};
}

absl::StatusOr<ViewFileSystemImpl::Inner> ViewFileSystemImpl::PrepareChange(const CallContext& context,
                                                                            const ViewNodePtr& node, uint64_t bytes) {
  if (node->decision().writes == WritesGo::kNowhere) return ErrnoStatus(EROFS);
  ASSIGN_OR_RETURN(const Side side, SideOfWrites(node->decision()));
  if (side == Side::kLayer) {
    ASSIGN_OR_RETURN(const NodeId inner, CopyUp(context, node, bytes));
    return Inner{&On(side), inner, side};
  }
  if (node->primary() != side) return ErrnoStatus(EROFS);  // it only leads to files of that side
  return ServingInner(*node);
}

absl::StatusOr<AttributesReply> ViewFileSystemImpl::SetAttr(const CallContext& context, NodeOrHandle file,
                                                            const AttributeChange& change) {
  ViewHandlePtr handle;
  ViewNodePtr node;
  if (file.handle != HandleId::kNone) {
    ASSIGN_OR_RETURN(handle, FindHandle(file.handle));
    node = handle->node;
    const bool to_copy = handle->side() != Side::kLayer && node->WritesGoToLayer() && Has(Side::kLayer);
    if (to_copy && change.size && !handle->flags.write)
      handle = nullptr;  // the rights of the file decide, as truncate(2) has it
  } else {
    ASSIGN_OR_RETURN(node, FindNode(file.node));
  }
  // Before anything is copied.
  RETURN_IF_ERROR(CheckSetAttr(context, node, change, handle != nullptr && handle->flags.write));
  ASSIGN_OR_RETURN(const Inner inner, PrepareChange(context, node, change.size.value_or(UINT64_MAX)));
  const bool by_handle = handle != nullptr && handle->side() == inner.side;
  const NodeOrHandle target{.node = inner.node, .handle = by_handle ? handle->id : HandleId::kNone};
  if (inner.side == Side::kLayer && RecordsOwners()) return SetAttrInLayer(context, node, target, change);
  ASSIGN_OR_RETURN(const AttributesReply reply, inner.files->SetAttr(context, target, change));
  return AttributesReply{Shown(*node, inner.side, reply.attributes)};
}

absl::Status ViewFileSystemImpl::Access(const CallContext& context, NodeId node, AccessMask mask) {
  ASSIGN_OR_RETURN(const ViewNodePtr found, FindNode(node));
  ASSIGN_OR_RETURN(const Inner inner, ServingInner(*found));
  if (inner.side == Side::kLayer && RecordsOwners()) return CheckAccess(context, found, mask);
  if (!mask.write || inner.side == Side::kLayer || !found->WritesGoToLayer()) {
    return inner.files->Access(context, inner.node, mask);
  }
  // The side may be read-only: whether it could be written is to be found out here.
  if (!Has(Side::kLayer)) return ErrnoStatus(EROFS);
  if (ChecksRights()) RETURN_IF_ERROR(CheckAccess(context, found, {.write = true}));
  mask.write = false;
  return mask.read || mask.execute ? inner.files->Access(context, inner.node, mask) : absl::OkStatus();
}

absl::StatusOr<FileSystemStatistics> ViewFileSystemImpl::StatFs(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const ViewNodePtr found, FindNode(node));
  // What a program asks for is mostly how much it can write.
  if (found->WritesGoToLayer() && Has(Side::kLayer)) {
    return On(Side::kLayer).StatFs(AsDaemon(context), RootOf(Side::kLayer));
  }
  ASSIGN_OR_RETURN(const Inner inner, ServingInner(*found));
  return inner.files->StatFs(context, inner.node);
}

}  // namespace mirrorfs
