// Changing the tree; extended attributes.
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "protos/shared/errno_status.h"
#include "tests/native/act_as.h"
#include "tests/native/native_filesystem.h"
#include "tests/native/system_calls.h"

namespace mirrorfs {
namespace {

constexpr size_t kMaxXattrName = 255;

// What a C string cannot carry is the port's to refuse.
absl::Status CheckXattrName(std::string_view name) {
  if (name.find('\0') != name.npos) return ErrnoStatus(EINVAL);
  if (name.size() > kMaxXattrName) return ErrnoStatus(ERANGE);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Entry> NativeFileSystem::Mknod(const CallContext& context, const NewNode& where, FileType type,
                                              uint32_t rdev_major, uint32_t rdev_minor) {
  RETURN_IF_ERROR(CheckName(where.name));
  ASSIGN_OR_RETURN(auto parent, nodes_.Find(where.parent));
  const bool device = type == FileType::kCharacterDevice || type == FileType::kBlockDevice;
  if (device && !devices_) return ErrnoStatus(EPERM, "mknod");
  ActAs who(Who(context));
  const std::string name(where.name);
  {
    WithUmask mask(where.umask);
    const int result =
        mknodat(parent->fd.get(), name.c_str(), ToMode(type, where.permissions), makedev(rdev_major, rdev_minor));
    RETURN_IF_ERROR(ToStatus(result, "mknod"));
  }
  return EntryOf(parent->fd.get(), name, where.proposed);
}

absl::StatusOr<Entry> NativeFileSystem::Mkdir(const CallContext& context, const NewNode& where) {
  RETURN_IF_ERROR(CheckName(where.name));
  ASSIGN_OR_RETURN(auto parent, nodes_.Find(where.parent));
  ActAs who(Who(context));
  const std::string name(where.name);
  {
    WithUmask mask(where.umask);
    RETURN_IF_ERROR(ToStatus(mkdirat(parent->fd.get(), name.c_str(), where.permissions), "mkdir"));
  }
  return EntryOf(parent->fd.get(), name, where.proposed);
}

absl::StatusOr<Entry> NativeFileSystem::Symlink(const CallContext& context, const NewNode& where,
                                                std::string_view target) {
  RETURN_IF_ERROR(CheckName(where.name));
  if (target.find('\0') != target.npos) return ErrnoStatus(EINVAL);
  ASSIGN_OR_RETURN(auto parent, nodes_.Find(where.parent));
  ActAs who(Who(context));
  const std::string name(where.name);
  RETURN_IF_ERROR(ToStatus(symlinkat(std::string(target).c_str(), parent->fd.get(), name.c_str()), "symlink"));
  return EntryOf(parent->fd.get(), name, where.proposed);
}

absl::StatusOr<Entry> NativeFileSystem::Link(const CallContext& context, NodeId node, NodeId new_parent,
                                             std::string_view new_name) {
  RETURN_IF_ERROR(CheckName(new_name));
  ASSIGN_OR_RETURN(auto file, nodes_.Find(node));
  ASSIGN_OR_RETURN(auto parent, nodes_.Find(new_parent));
  ActAs who(Who(context));
  const std::string name(new_name);
  const int result = linkat(AT_FDCWD, file->Path().c_str(), parent->fd.get(), name.c_str(), AT_SYMLINK_FOLLOW);
  RETURN_IF_ERROR(ToStatus(result, "link"));
  return EntryOf(parent->fd.get(), name, NodeId::kInvalid);
}

absl::StatusOr<Removed> NativeFileSystem::Unlink(const CallContext& context, NodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckName(name));
  ASSIGN_OR_RETURN(auto directory, nodes_.Find(parent));
  ActAs who(Who(context));
  RETURN_IF_ERROR(ToStatus(unlinkat(directory->fd.get(), std::string(name).c_str(), 0), "unlink"));
  return Removed{};
}

absl::StatusOr<Removed> NativeFileSystem::Rmdir(const CallContext& context, NodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckName(name));
  ASSIGN_OR_RETURN(auto directory, nodes_.Find(parent));
  ActAs who(Who(context));
  RETURN_IF_ERROR(ToStatus(unlinkat(directory->fd.get(), std::string(name).c_str(), AT_REMOVEDIR), "rmdir"));
  return Removed{};
}

absl::StatusOr<Renamed> NativeFileSystem::Rename(const CallContext& context, NodeId parent, std::string_view name,
                                                 NodeId new_parent, std::string_view new_name, RenameMode mode) {
  RETURN_IF_ERROR(CheckName(name));
  RETURN_IF_ERROR(CheckName(new_name));
  ASSIGN_OR_RETURN(auto from, nodes_.Find(parent));
  ASSIGN_OR_RETURN(auto to, nodes_.Find(new_parent));
  ActAs who(Who(context));
  const unsigned flags = mode == RenameMode::kNoReplace  ? RENAME_NOREPLACE
                         : mode == RenameMode::kExchange ? RENAME_EXCHANGE
                                                         : 0;
  RETURN_IF_ERROR(
      ToStatus(renameat2(from->fd.get(), std::string(name).c_str(), to->fd.get(), std::string(new_name).c_str(), flags),
               "rename"));
  return Renamed{};
}

absl::StatusOr<std::string> NativeFileSystem::GetXattr(const CallContext& context, NodeId node, std::string_view name) {
  RETURN_IF_ERROR(CheckXattrName(name));
  ASSIGN_OR_RETURN(auto file, nodes_.Find(node));
  ActAs who(Who(context));
  std::string value(kMaxXattrBytes, '\0');
  const ssize_t size = getxattr(file->Path().c_str(), std::string(name).c_str(), value.data(), value.size());
  if (size < 0) return LastErrno("getxattr");
  value.resize(size);
  return value;
}

absl::Status NativeFileSystem::SetXattr(const CallContext& context, NodeId node, std::string_view name,
                                        std::string_view value, XattrMode mode) {
  RETURN_IF_ERROR(CheckXattrName(name));
  ASSIGN_OR_RETURN(auto file, nodes_.Find(node));
  ActAs who(Who(context));
  const int flags = mode == XattrMode::kCreateOnly ? XATTR_CREATE : mode == XattrMode::kReplaceOnly ? XATTR_REPLACE : 0;
  return ToStatus(setxattr(file->Path().c_str(), std::string(name).c_str(), value.data(), value.size(), flags),
                  "setxattr");
}

absl::StatusOr<std::vector<std::string>> NativeFileSystem::ListXattr(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(auto file, nodes_.Find(node));
  ActAs who(Who(context));
  std::string list(kMaxXattrBytes, '\0');
  const ssize_t size = listxattr(file->Path().c_str(), list.data(), list.size());
  if (size < 0) return LastErrno("listxattr");
  std::vector<std::string> names;
  for (size_t at = 0; at < static_cast<size_t>(size); at += names.back().size() + 1) names.emplace_back(&list[at]);
  return names;
}

absl::Status NativeFileSystem::RemoveXattr(const CallContext& context, NodeId node, std::string_view name) {
  RETURN_IF_ERROR(CheckXattrName(name));
  ASSIGN_OR_RETURN(auto file, nodes_.Find(node));
  ActAs who(Who(context));
  return ToStatus(removexattr(file->Path().c_str(), std::string(name).c_str()), "removexattr");
}

}  // namespace mirrorfs
