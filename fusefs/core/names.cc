// Lookup and what goes with it: how a name becomes an answer for the kernel.
#include <cerrno>
#include <utility>

#include "fusefs/core/filesystem_core.h"
#include "fusefs/core/rebase.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::StatusOr<EntryAnswer> FilesystemCore::Lookup(const CallContext& context, NodeId parent_node,
                                                   std::string_view name) {
  if (name.size() > kMaxNameBytes) return ErrnoStatus(ENAMETOOLONG, "lookup");
  ASSIGN_OR_RETURN(const InodePtr parent, FindInode(parent_node));
  if (auto cached = names_.Find(parent_node, name)) return Deliver(context, *std::move(cached));
  if (parent->MissAndWantListing(Now(), options_.entry_timeout)) {
    const NameCache::Ticket ticket = names_.Ask(parent_node);
    if (const auto here = files_.LookupHere(context, parent_node, name)) {
      ASSIGN_OR_RETURN(CachedName answer, TakeAnswer(parent, ticket, name, *here));
      return Deliver(context, std::move(answer));
    }
    // A program that looks for one name in a directory mostly looks for more, and misses most of them.
    if (FetchListing(context, parent).ok()) {
      if (auto cached = names_.Find(parent_node, name)) return Deliver(context, *std::move(cached));
    }
  }
  ASSIGN_OR_RETURN(CachedName answer, AskForName(context, parent, name));
  return Deliver(context, std::move(answer));
}

absl::StatusOr<CachedName> FilesystemCore::AskForName(const CallContext& context, const InodePtr& parent,
                                                      std::string_view name) {
  const NameCache::Ticket ticket = names_.Ask(parent->node());
  return TakeAnswer(parent, ticket, name, files_.Lookup(context, parent->node(), name));
}

absl::StatusOr<CachedName> FilesystemCore::TakeAnswer(const InodePtr& parent, const NameCache::Ticket& ticket,
                                                      std::string_view name, const absl::StatusOr<Entry>& entry) {
  CachedName answer{.inode = nullptr, .attributes = {}, .fetched_at = ticket.asked_at};
  if (entry.ok()) {
    ASSIGN_OR_RETURN(answer.inode, Adopt(*entry, parent, ticket.asked_at));
    answer.attributes = entry->attributes;
  } else if (ToErrno(entry.status()) != ENOENT) {
    return entry.status();
  }
  names_.Keep(parent->node(), ticket, name, answer);
  return answer;
}

absl::StatusOr<InodePtr> FilesystemCore::Adopt(const Entry& entry, const InodePtr& parent, Instant asked_at) {
  InodePtr inode = inodes_.Adopt(entry, parent);
  if (inode == nullptr || inode == inodes_.Root()) return ErrnoStatus(EIO, "the agent changed the type of a node");
  inode->Observe(entry.attributes, asked_at);
  NoteXattrs(*inode, entry.attributes, asked_at);
  return inode;
}

bool FilesystemCore::AttributesStale(const CachedName& cached) const {
  if (cached.inode->ChangedSince(cached.fetched_at) || cached.inode->pending_writes()->Any()) return true;
  return cached.attributes.nlink > 1 && !cached.inode->IsDirectory() && multi_link_change_.load() >= cached.fetched_at;
}

absl::StatusOr<EntryAnswer> FilesystemCore::Deliver(const CallContext& context, CachedName cached) {
  if (cached.inode == nullptr) return Absent(cached.fetched_at);
  Inode& inode = *cached.inode;
  EntryAnswer answer;
  answer.node = inode.node();
  const Instant now = Now();
  answer.entry_timeout = Remaining(options_.entry_timeout, cached.fetched_at, now);
  if (AttributesStale(cached)) {
    RETURN_IF_ERROR(Settle(context, inode));
    ASSIGN_OR_RETURN(const AttributeCache::Known fresh, Fetch(context, inode));
    cached.attributes = fresh.attributes;
    cached.fetched_at = fresh.asked_at;
  }
  answer.attributes = Shown(inode, cached.attributes);
  answer.attr_timeout = AttrLifetime(inode, Remaining(options_.attr_timeout, cached.fetched_at, now));
  inodes_.AddLookup(cached.inode);
  return answer;
}

EntryAnswer FilesystemCore::Absent(Instant fetched_at) const {
  EntryAnswer answer;
  answer.entry_timeout = Remaining(options_.entry_timeout, fetched_at, Now());
  return answer;
}

void FilesystemCore::Forget(NodeId node, uint64_t count) { inodes_.Forget(node, count); }

absl::StatusOr<std::string> FilesystemCore::Readlink(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  std::string target = inode->LinkTarget();
  if (target.empty()) {
    ASSIGN_OR_RETURN(target, files_.Readlink(context, node));
    inode->SetLinkTarget(target);
  }
  std::string shown = ShownTarget(*inode, target);
  if (shown.size() > kMaxTargetBytes) return ErrnoStatus(ENAMETOOLONG, "link target as the mount shows it");
  return shown;
}

size_t FilesystemCore::DepthOfDirectoryOf(const Inode& inode) {
  size_t depth = 0;
  const InodePtr directory = inode.Parent();
  if (directory == nullptr) return 0;
  for (InodePtr above = directory->Parent(); above != nullptr; above = above->Parent()) ++depth;
  return depth;
}

std::string FilesystemCore::ShownTarget(const Inode& link, std::string_view target) const {
  if (!options_.rebase_links) return std::string(target);
  return RebaseLink(target, DepthOfDirectoryOf(link));
}

Attributes FilesystemCore::Shown(Inode& inode, Attributes attributes) const {
  attributes.uid = ShownUid(attributes.uid);
  inode.SetShownOwner(attributes.uid);
  attributes.gid = ShownGid(attributes.gid);
  if (inode.type() == FileType::kSymlink && options_.rebase_links) {
    const std::string target = inode.LinkTarget();
    if (!target.empty()) attributes.size = ShownTarget(inode, target).size();
  }
  return attributes;
}

absl::Duration FilesystemCore::AttrLifetime(const Inode& inode, absl::Duration left) const {
  if (inode.type() != FileType::kSymlink || !options_.rebase_links) return left;
  // How long the shown target is depends on where the link is, and a directory above it may be renamed.
  const std::string target = inode.LinkTarget();
  return ShownTarget(inode, target) == target ? left : absl::ZeroDuration();
}

uint32_t FilesystemCore::ShownUid(uint32_t uid) const {
  if (options_.show_own_ids) return options_.shown_uid;
  if (!options_.map_ids) return uid;
  if (uid == options_.container_uid) return options_.shown_uid;
  return uid == options_.shown_uid ? options_.container_uid : uid;
}

uint32_t FilesystemCore::ShownGid(uint32_t gid) const {
  if (options_.show_own_ids) return options_.shown_gid;
  if (!options_.map_ids) return gid;
  if (gid == options_.container_gid) return options_.shown_gid;
  return gid == options_.shown_gid ? options_.container_gid : gid;
}

}  // namespace mirrorfs
