// Attributes, access and statistics.
#include <utility>

#include "fusefs/core/filesystem_core.h"
#include "fusefs/core/through_any_handle.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {

absl::StatusOr<AttrAnswer> FilesystemCore::GetAttr(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  RETURN_IF_ERROR(Settle(context, *inode));
  ASSIGN_OR_RETURN(const AttributeCache::Known known, Fetch(context, *inode));
  if (known.attributes.type != inode->type()) return ErrnoStatus(EIO, "the agent changed the type of a node");
  const absl::Duration left = Remaining(options_.attr_timeout, known.asked_at, Now());
  return AttrAnswer{Shown(*inode, known.attributes), AttrLifetime(*inode, left)};
}

absl::StatusOr<AttributeCache::Known> FilesystemCore::Fetch(const CallContext& context, Inode& inode) {
  const auto kept = attributes_.Find(inode);
  if (kept && !NamesChangedSince(inode, kept->attributes, kept->right_from)) return *kept;
  const Instant asked_at = Now();
  ASSIGN_OR_RETURN(const AttributesReply reply,
                   ThroughAnyHandle(inode, [&](const NodeOrHandle& file) { return files_.GetAttr(context, file); }));
  inode.Observe(reply.attributes, asked_at);
  NoteXattrs(inode, reply.attributes, asked_at);
  const AttributeCache::Known known{reply.attributes, asked_at, asked_at};
  attributes_.Keep(inode, known);
  return known;
}

bool FilesystemCore::NamesChangedSince(const Inode& inode, const Attributes& attributes, Instant instant) const {
  const bool other_names = attributes.nlink > 1 && !inode.IsDirectory();
  return attributes_.DroppedSince(instant) || (other_names && multi_link_change_.load() >= instant);
}

void FilesystemCore::KeepAfter(Inode::Change& change, Inode& inode, const std::optional<Attributes>& attributes,
                               Instant asked_at) {
  const std::optional<Instant> right_from = change.End();
  if (!right_from || !attributes) return;
  inode.ObserveOwn(*attributes);
  // They may have been read before the name went, and be told after that.
  if (!NamesChangedSince(inode, *attributes, asked_at)) attributes_.Keep(inode, {*attributes, asked_at, *right_from});
}

absl::StatusOr<AttrAnswer> FilesystemCore::SetAttr(const CallContext& context, NodeId node, HandleId handle,
                                                   const AttributeChange& change) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  RETURN_IF_ERROR(Settle(context, *inode));
  AttributeChange wanted = change;
  if (FaultPlanted("size_change_lost")) wanted.size.reset();
  if (options_.show_own_ids) {
    // The only ids that can be said are those that are shown: whoever says them wants no other owner.
    wanted.uid.reset();
    wanted.gid.reset();
  }
  if (wanted.uid) wanted.uid = ShownUid(*wanted.uid);  // the mapping is its own inverse
  if (wanted.gid) wanted.gid = ShownGid(*wanted.gid);

  Inode::Change changing(*inode);
  const Instant asked_at = Now();
  const auto apply = [&](const NodeOrHandle& file) { return files_.SetAttr(context, file, wanted); };
  const absl::StatusOr<AttributesReply> reply =
      handle != HandleId::kNone ? apply({inode->node(), handle}) : ThroughAnyHandle(*inode, apply);
  KeepAfter(changing, *inode, reply.ok() ? std::optional(reply->attributes) : std::nullopt, asked_at);
  if (inode->IsDirectory() && (change.permissions || change.uid || change.gid)) NamesMayBeStale(inode);
  if (!reply.ok()) return reply.status();
  if (reply->attributes.type != inode->type()) return ErrnoStatus(EIO, "the agent changed the type of a node");
  return AttrAnswer{Shown(*inode, reply->attributes), AttrLifetime(*inode, options_.attr_timeout)};
}

void FilesystemCore::NamesMayBeStale(const InodePtr& directory) {
  if (!options_.agent_checks_permissions) return;
  names_.Drop(directory->node());
  options_.expire_kernel_names();
}

absl::Status FilesystemCore::Access(const CallContext& context, NodeId node, AccessMask mask) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  return files_.Access(context, inode->node(), mask);
}

absl::StatusOr<FileSystemStatistics> FilesystemCore::StatFs(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  RETURN_IF_ERROR(Settle(context, *inode));
  return files_.StatFs(context, inode->node());
}

}  // namespace mirrorfs
