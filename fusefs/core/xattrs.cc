// Extended attributes.
#include <cerrno>

#include "fusefs/core/filesystem_core.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

namespace {

bool IsAcl(std::string_view name) { return name.starts_with("system.posix_acl_"); }

// Those that the kernel and ls(1) ask of every file.
bool IsAskedOften(std::string_view name) { return name.starts_with("security.") || IsAcl(name); }

}  // namespace

// ls(1) asks for the label and the ACL of each file until it hears that there are none here; each question is a request
// of the kernel. Both errors mean the same to programs, but one that has heard EOPNOTSUPP does not ask for the next
// file: so not when there is an ACL to be seen, or the directory was not listed, so that there may be one. Nor to a
// kernel that checks the permissions of somebody else than the owner: it would take it for the outcome (ADR 18).
int FilesystemCore::ErrnoOfMissing(std::string_view name, const CallContext& context, const Inode& inode) const {
  if (name == "security.selinux") return EOPNOTSUPP;
  if (!IsAcl(name) || options_.exact_acls || acl_seen_.load()) return ENODATA;
  const InodePtr parent = inode.Parent();
  if (inode.IsDirectory() || parent == nullptr || !parent->WasListed()) return ENODATA;
  return options_.agent_checks_permissions || context.caller.uid == inode.ShownOwner() ? EOPNOTSUPP : ENODATA;
}

void FilesystemCore::NoteXattrs(Inode& inode, const Attributes& attributes, Instant asked_at) {
  inode.NoteXattrs(attributes.without_xattrs, asked_at);
  if (!attributes.without_acl) acl_seen_.store(true);
}

absl::StatusOr<std::string> FilesystemCore::GetXattr(const CallContext& context, NodeId node, std::string_view name) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  // The kernel asks this before every write. The open for writing has told the answer, and what would change it
  // passes here.
  const bool open = inode->AnyHandle() != HandleId::kNone;
  if (name == "security.capability" && open && !inode->MayHaveCapability()) return ErrnoStatus(ENODATA, "getxattr");
  const Instant without_at = inode->WithoutXattrsAt();
  const bool known_to_have_none =
      !inode->ChangedSince(without_at) && Remaining(options_.attr_timeout, without_at, Now()) > absl::ZeroDuration();
  if (IsAskedOften(name) && known_to_have_none) return ErrnoStatus(ErrnoOfMissing(name, context, *inode), "getxattr");
  absl::StatusOr<std::string> value = files_.GetXattr(context, node, name);
  if (ToErrno(value.status()) == ENODATA) return ErrnoStatus(ErrnoOfMissing(name, context, *inode), "getxattr");
  return value;
}

absl::Status FilesystemCore::SetXattr(const CallContext& context, NodeId node, std::string_view name,
                                      std::string_view value, XattrMode mode) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  RETURN_IF_ERROR(Settle(context, *inode));
  if (name == "security.capability") inode->SetMayHaveCapability(true);
  if (IsAcl(name)) acl_seen_.store(true);
  Inode::Change changing(*inode);
  const absl::Status status = files_.SetXattr(context, node, name, value, mode);
  changing.End();
  if (inode->IsDirectory() && IsAcl(name)) NamesMayBeStale(inode);
  return status;
}

absl::StatusOr<std::vector<std::string>> FilesystemCore::ListXattr(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  return files_.ListXattr(context, node);
}

absl::Status FilesystemCore::RemoveXattr(const CallContext& context, NodeId node, std::string_view name) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  RETURN_IF_ERROR(Settle(context, *inode));
  Inode::Change changing(*inode);
  const absl::Status status = files_.RemoveXattr(context, node, name);
  changing.End();
  if (inode->IsDirectory() && IsAcl(name)) NamesMayBeStale(inode);
  return status;
}

}  // namespace mirrorfs
