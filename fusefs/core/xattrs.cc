// Extended attributes.
#include <cerrno>

#include "fusefs/core/filesystem_core.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

namespace {

// Those that the kernel and ls(1) ask of every file.
bool IsAskedOften(std::string_view name) {
  return name.substr(0, 9) == "security." || name.substr(0, 17) == "system.posix_acl_";
}

// ls(1) asks for the label of each file until it hears that there are no labels here. Both mean the same to programs,
// and each question is a request of the kernel.
int ErrnoOfMissing(std::string_view name) { return name == "security.selinux" ? EOPNOTSUPP : ENODATA; }

}  // namespace

absl::StatusOr<std::string> FilesystemCore::GetXattr(const CallContext& context, NodeId node, std::string_view name) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  // The kernel asks this before every write. The open for writing has told the answer, and what would change it
  // passes here.
  const bool open = inode->AnyHandle() != HandleId::kNone;
  if (name == "security.capability" && open && !inode->MayHaveCapability()) return ErrnoStatus(ENODATA, "getxattr");
  const Instant without_at = inode->WithoutXattrsAt();
  const bool known_to_have_none =
      !inode->ChangedSince(without_at) && Remaining(options_.attr_timeout, without_at, Now()) > absl::ZeroDuration();
  if (IsAskedOften(name) && known_to_have_none) return ErrnoStatus(ErrnoOfMissing(name), "getxattr");
  absl::StatusOr<std::string> value = files_.GetXattr(context, node, name);
  if (ToErrno(value.status()) == ENODATA) return ErrnoStatus(ErrnoOfMissing(name), "getxattr");
  return value;
}

absl::Status FilesystemCore::SetXattr(const CallContext& context, NodeId node, std::string_view name,
                                      std::string_view value, XattrMode mode) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  RETURN_IF_ERROR(Settle(context, *inode));
  if (name == "security.capability") inode->SetMayHaveCapability(true);
  Inode::Change changing(*inode);
  const absl::Status status = files_.SetXattr(context, node, name, value, mode);
  changing.End();
  if (inode->IsDirectory() && name.substr(0, 17) == "system.posix_acl_") NamesMayBeStale(inode);
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
  if (inode->IsDirectory() && name.substr(0, 17) == "system.posix_acl_") NamesMayBeStale(inode);
  return status;
}

}  // namespace mirrorfs
