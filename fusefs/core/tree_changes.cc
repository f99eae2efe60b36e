// Calls that make, remove and move names.
#include <cerrno>
#include <utility>

#include "fusefs/core/filesystem_core.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

FileSystem::NewNode ToNewNode(const FilesystemCore::NewName& where) {
  return {.parent = where.parent, .name = where.name, .permissions = where.permissions, .umask = where.umask};
}

}  // namespace

absl::StatusOr<EntryAnswer> FilesystemCore::DeliverNew(NameCache::Change& change, Inode::Change& changing,
                                                       const InodePtr& parent, std::string_view name, Instant asked_at,
                                                       const Entry& entry) {
  KeepAfter(changing, *parent, entry.directory == nullptr ? std::nullopt : std::optional(*entry.directory), asked_at);
  ASSIGN_OR_RETURN(const InodePtr inode, Adopt(entry, parent, asked_at));
  change.Set(name, CachedName{inode, entry.attributes, asked_at});
  EntryAnswer answer;
  answer.node = inode->node();
  answer.attributes = Shown(*inode, entry.attributes);
  answer.entry_timeout = options_.entry_timeout;
  answer.attr_timeout = AttrLifetime(*inode, options_.attr_timeout);
  inodes_.AddLookup(inode);
  return answer;
}

absl::StatusOr<EntryAnswer> FilesystemCore::Mknod(const CallContext& context, const NewName& where, FileType type,
                                                  uint32_t rdev_major, uint32_t rdev_minor) {
  ASSIGN_OR_RETURN(const InodePtr parent, FindInode(where.parent));
  NameCache::Change change(names_, where.parent);
  Inode::Change changing(*parent);
  const Instant asked_at = Now();
  const auto entry = files_.Mknod(context, ToNewNode(where), type, rdev_major, rdev_minor);
  if (!entry.ok()) return change.Unset(where.name), entry.status();
  return DeliverNew(change, changing, parent, where.name, asked_at, *entry);
}

absl::StatusOr<EntryAnswer> FilesystemCore::Mkdir(const CallContext& context, const NewName& where) {
  ASSIGN_OR_RETURN(const InodePtr parent, FindInode(where.parent));
  NameCache::Change change(names_, where.parent);
  Inode::Change changing(*parent);
  const Instant asked_at = Now();
  const auto entry = files_.Mkdir(context, ToNewNode(where));
  if (!entry.ok()) return change.Unset(where.name), entry.status();
  return DeliverNew(change, changing, parent, where.name, asked_at, *entry);
}

absl::StatusOr<EntryAnswer> FilesystemCore::Symlink(const CallContext& context, NodeId parent_node,
                                                    std::string_view name, std::string_view target) {
  ASSIGN_OR_RETURN(const InodePtr parent, FindInode(parent_node));
  NameCache::Change change(names_, parent_node);
  Inode::Change changing(*parent);
  const Instant asked_at = Now();
  const auto entry = files_.Symlink(context, ToNewNode({.parent = parent_node, .name = name}), target);
  if (!entry.ok()) return change.Unset(name), entry.status();
  return DeliverNew(change, changing, parent, name, asked_at, *entry);
}

absl::StatusOr<EntryAnswer> FilesystemCore::Link(const CallContext& context, NodeId node, NodeId new_parent,
                                                 std::string_view new_name) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  ASSIGN_OR_RETURN(const InodePtr parent, FindInode(new_parent));
  RETURN_IF_ERROR(Settle(context, *inode));
  NameCache::Change change(names_, new_parent);
  Inode::Change changing(*parent);
  Inode::Change changing_file(*inode);
  const auto entry = files_.Link(context, node, new_parent, new_name);
  changing_file.End();
  const Instant done_at = Now();
  multi_link_change_.store(Now());
  if (!entry.ok()) return change.Unset(new_name), entry.status();
  return DeliverNew(change, changing, parent, new_name, done_at, *entry);
}

void FilesystemCore::MarkUnlinked(const std::optional<CachedName>& before) {
  if (before && before->inode != nullptr) {
    before->inode->MarkChanged();
  } else {
    attributes_.DropAll();  // whichever file it was
  }
}

absl::Status FilesystemCore::RemoveName(const InodePtr& parent, std::string_view name,
                                        const std::function<absl::StatusOr<Removed>()>& remove) {
  const std::optional<CachedName> before = names_.Find(parent->node(), name);
  NameCache::Change change(names_, parent->node());
  Inode::Change changing(*parent);
  const Instant asked_at = Now();
  const absl::StatusOr<Removed> removed = remove();
  const Instant now = Now();
  multi_link_change_.store(now);
  MarkUnlinked(before);
  if (!removed.ok()) return change.Unset(name), removed.status();
  KeepAfter(changing, *parent, removed->directory, asked_at);
  change.Set(name, CachedName{.inode = nullptr, .attributes = {}, .fetched_at = now});
  return absl::OkStatus();
}

absl::Status FilesystemCore::Unlink(const CallContext& context, NodeId parent_node, std::string_view name) {
  ASSIGN_OR_RETURN(const InodePtr parent, FindInode(parent_node));
  return RemoveName(parent, name, [&] { return files_.Unlink(context, parent_node, name); });
}

absl::Status FilesystemCore::Rmdir(const CallContext& context, NodeId parent_node, std::string_view name) {
  ASSIGN_OR_RETURN(const InodePtr parent, FindInode(parent_node));
  return RemoveName(parent, name, [&] { return files_.Rmdir(context, parent_node, name); });
}

void FilesystemCore::MoveName(NameCache::Change& change, const InodePtr& parent, std::string_view name,
                              const std::optional<CachedName>& now) {
  if (!now || now->inode == nullptr) return change.Unset(name);
  now->inode->SetParent(parent);
  const Instant known_at = Now();
  now->inode->MarkChanged();  // its ctime has: the attributes count as stale from the start
  change.Set(name, CachedName{now->inode, now->attributes, known_at});
}

absl::Status FilesystemCore::Rename(const CallContext& context, NodeId parent_node, std::string_view name,
                                    NodeId new_parent_node, std::string_view new_name, RenameMode mode) {
  ASSIGN_OR_RETURN(const InodePtr parent, FindInode(parent_node));
  ASSIGN_OR_RETURN(const InodePtr new_parent, FindInode(new_parent_node));
  const std::optional<CachedName> moved = names_.Find(parent_node, name);
  const std::optional<CachedName> replaced = names_.Find(new_parent_node, new_name);
  NameCache::Change change(names_, parent_node);
  NameCache::Change new_change(names_, new_parent_node);
  Inode::Change changing(*parent);
  std::optional<Inode::Change> changing_new;
  if (new_parent != parent) changing_new.emplace(*new_parent);
  const Instant asked_at = Now();
  const absl::StatusOr<Renamed> renamed = files_.Rename(context, parent_node, name, new_parent_node, new_name, mode);
  multi_link_change_.store(Now());
  MarkUnlinked(moved);
  if (!replaced || replaced->inode != nullptr) MarkUnlinked(replaced);
  if (!renamed.ok()) {
    change.Unset(name);
    new_change.Unset(new_name);
    return renamed.status();
  }
  KeepAfter(changing, *parent, renamed->directory, asked_at);
  if (changing_new) KeepAfter(*changing_new, *new_parent, renamed->new_directory, asked_at);
  MoveName(new_change, new_parent, new_name, moved);
  if (mode == RenameMode::kExchange) {
    MoveName(change, parent, name, replaced);
  } else if (moved && moved->inode != nullptr && replaced && replaced->inode == moved->inode) {
    change.Unset(name);  // two names of one file: rename(2) does nothing
  } else {
    change.Set(name, CachedName{.inode = nullptr, .attributes = {}, .fetched_at = Now()});
  }
  if (!options_.rebase_links) return absl::OkStatus();
  // Where links point depends on where they are: what has moved must be known at its new place.
  if (!moved || moved->inode == nullptr) (void)AskForName(context, new_parent, new_name);
  if (mode == RenameMode::kExchange && (!replaced || replaced->inode == nullptr)) {
    (void)AskForName(context, parent, name);
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
