// GetXattr, SetXattr, ListXattr, RemoveXattr.
//
// Through /proc/self/fd, which leads to the very file and no further: also to a symbolic link's own attributes.
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "protos/rootfs/kernel_calls.h"
#include "protos/rootfs/posix_acl.h"
#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

constexpr size_t kMaxXattrNameBytes = 255;
constexpr char kFileCapability[] = "security.capability";

absl::Status CheckXattrName(std::string_view name) {
  if (name.empty() || name.size() > kMaxXattrNameBytes) return ErrnoStatus(ERANGE);
  return ErrnoStatus(name.find('\0') != name.npos ? EINVAL : 0);
}

// Asks with a buffer that is mostly large enough, and then with the largest that Linux knows.
template <typename Call>
absl::StatusOr<std::string> ReadValue(const Call& call) {
  std::string value(1024, '\0');
  ssize_t length = call(value.data(), value.size());
  if (length < 0 && errno == ERANGE) {
    value.resize(kMaxXattrBytes);
    length = call(value.data(), value.size());
  }
  if (length < 0) return LastErrno("xattr");
  value.resize(static_cast<size_t>(length));
  return value;
}

std::vector<std::string> SplitNames(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const size_t end = std::min(list.find('\0'), list.size());
    names.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return names;
}

int SetFlags(XattrMode mode) {
  if (mode == XattrMode::kCreateOnly && !FaultPlanted("xattr_create_lost")) return XATTR_CREATE;
  return mode == XattrMode::kReplaceOnly ? XATTR_REPLACE : 0;
}

}  // namespace

absl::StatusOr<std::string> RootedFilesystemImpl::GetXattr(const CallContext& context, NodeId node,
                                                           std::string_view name) {
  RETURN_IF_ERROR(CheckXattrName(name));
  ASSIGN_OR_RETURN(const FoundNode found, FindNode(node));
  if (found.facts.refused) return ErrnoStatus(ENODATA);
  const std::string path = ProcFdDirectory::PathOf(found.fd->get());
  const std::string key(name);
  ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {found.fd->get()}));
  ASSIGN_OR_RETURN(std::string value, ReadValue([&](char* buffer, size_t size) {
                     return ::getxattr(path.c_str(), key.c_str(), buffer, size);
                   }));
  if (IsPosixAclName(name)) return AclToContainer(std::move(value), options_.uids, options_.gids);
  return value;
}

absl::Status RootedFilesystemImpl::SetXattr(const CallContext& context, NodeId node, std::string_view name,
                                            std::string_view value, XattrMode mode) {
  ASSIGN_OR_RETURN(const FoundNode found, FindToChange(node));
  RETURN_IF_ERROR(CheckXattrName(name));
  if (value.size() > kMaxXattrBytes) return ErrnoStatus(E2BIG);
  // Set by the agent, it would be valid on the whole host and not only in the container's user namespace.
  if (name == kFileCapability && !options_.uids.IsIdentity()) return ErrnoStatus(EPERM);
  std::string bytes(value);
  if (IsPosixAclName(name)) {
    ASSIGN_OR_RETURN(bytes, AclToAgent(std::move(bytes), options_.uids, options_.gids));
  }
  const std::string path = ProcFdDirectory::PathOf(found.fd->get());
  {
    ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {found.fd->get()}));
    if (::setxattr(path.c_str(), std::string(name).c_str(), bytes.data(), bytes.size(), SetFlags(mode)) != 0) {
      return LastErrno("setxattr");
    }
  }
  NoteCopyUp(node, found);
  return CheckAlive();
}

absl::StatusOr<std::vector<std::string>> RootedFilesystemImpl::ListXattr(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const FoundNode found, FindNode(node));
  if (found.facts.refused) return std::vector<std::string>();
  const std::string path = ProcFdDirectory::PathOf(found.fd->get());
  ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {found.fd->get()}));
  ASSIGN_OR_RETURN(const std::string list,
                   ReadValue([&](char* buffer, size_t size) { return ::listxattr(path.c_str(), buffer, size); }));
  return SplitNames(list);
}

absl::Status RootedFilesystemImpl::RemoveXattr(const CallContext& context, NodeId node, std::string_view name) {
  ASSIGN_OR_RETURN(const FoundNode found, FindToChange(node));
  RETURN_IF_ERROR(CheckXattrName(name));
  const std::string path = ProcFdDirectory::PathOf(found.fd->get());
  const std::string key(name);
  bool part_of_writing = false;
  {
    ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {found.fd->get()}));
    // The client's kernel removes capabilities for a program that writes, in its name. Whoever may write may do that.
    part_of_writing = key == kFileCapability && AccessFd(found.fd->get(), W_OK) == 0;
    if (!part_of_writing && ::removexattr(path.c_str(), key.c_str()) != 0) return LastErrno("removexattr");
  }
  if (part_of_writing && ::removexattr(path.c_str(), key.c_str()) != 0) return LastErrno("removexattr");
  NoteCopyUp(node, found);
  return CheckAlive();
}

}  // namespace mirrorfs
