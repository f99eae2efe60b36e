#include "launcher/namespace/own_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

std::string Setting(const char* path) {
  std::ifstream file(path);
  std::string value;
  std::getline(file, value);
  return value;
}

// Which of the settings that distributions have for this is the one that forbids it.
std::string WhyNoUserNamespace(int error) {
  if (Setting("/proc/sys/user/max_user_namespaces") == "0") {
    return "they are switched off here (/proc/sys/user/max_user_namespaces is 0)";
  }
  if (Setting("/proc/sys/kernel/unprivileged_userns_clone") == "0") {
    return "ordinary users may not make them here (sysctl kernel.unprivileged_userns_clone is 0)";
  }
  if (Setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1") {
    return "AppArmor restricts them here (sysctl kernel.apparmor_restrict_unprivileged_userns is 1)";
  }
  if (error == ENOSPC)
    return "there are too many of them (/proc/sys/user/max_user_namespaces), or they are nested too deep";
  return ErrnoText(error) + "; a container's seccomp profile, or a chroot, may forbid it";
}

absl::Status NoUserNamespace(int error) {
  return Failure(
      ExitCode::kNotPermitted,
      fmt::format("exec: an ordinary user's program needs a user namespace, and none can be made: {}. Ask your "
                  "administrator to allow user namespaces, or run this as root.",
                  WhyNoUserNamespace(error)));
}

absl::Status WriteText(const char* path, const std::string& text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file) return LastErrno(path);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return LastErrno(path);
  return absl::OkStatus();
}

absl::Status MapOwnIds(uid_t uid, gid_t gid) {
  RETURN_IF_ERROR(WriteText("/proc/self/setgroups", "deny"));  // without it no gid map can be written
  RETURN_IF_ERROR(WriteText("/proc/self/uid_map", fmt::format("{} {} 1", uid, uid)));
  return WriteText("/proc/self/gid_map", fmt::format("{} {} 1", gid, gid));
}

absl::Status EnterUserNamespace() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return NoUserNamespace(errno);
  if (const absl::Status mapped = MapOwnIds(uid, gid); !mapped.ok()) return NoUserNamespace(ToErrno(mapped));
  return absl::OkStatus();
}

absl::Status EnterMountNamespace() {
  if (::unshare(CLONE_NEWNS) == 0) return absl::OkStatus();
  return Failure(ExitCode::kNotPermitted,
                 fmt::format("exec: no mount namespace can be made: {}. It needs the capability SYS_ADMIN, which root "
                             "lacks in most containers.",
                             ErrnoText(errno)));
}

}  // namespace

absl::Status EnterOwnNamespace(NamespaceKind kind) {
  RETURN_IF_ERROR(kind == NamespaceKind::kUserAndMount ? EnterUserNamespace() : EnterMountNamespace());
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) return absl::OkStatus();
  return Failure(errno == EACCES || errno == EPERM ? ExitCode::kNotPermitted : ExitCode::kFailed,
                 fmt::format("exec: mounts cannot be made private: {}. If / is not a mount point (in a chroot), exec "
                             "cannot work; else AppArmor or SELinux may forbid mounting.",
                             ErrnoText(errno)));
}

}  // namespace mirrorfs
