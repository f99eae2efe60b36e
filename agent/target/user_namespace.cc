#include "agent/target/user_namespace.h"

#include <linux/capability.h>
#include <sched.h>

#include <cerrno>
#include <system_error>

#include "agent/target/read_all.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

absl::StatusOr<bool> HasPtraceCapability() {
  ASSIGN_OR_RETURN(const std::string text, ReadAllOf("/proc/self/status"));
  ASSIGN_OR_RETURN(const ProcessStatus own, ParseProcessStatus(text));
  return (own.credentials.capabilities >> CAP_SYS_PTRACE & 1) != 0;
}

}  // namespace

absl::Status JoinUserNamespaceIfNeeded(const HeldProcess& process) {
  ASSIGN_OR_RETURN(const bool privileged, HasPtraceCapability());
  if (privileged) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool shared, process.SharesUserNamespace());
  if (shared) return absl::OkStatus();
  if (::setns(process.pidfd(), CLONE_NEWUSER) == 0) return absl::OkStatus();
  const int error = errno;
  return absl::PermissionDeniedError(
      fmt::format("{}: the user namespace of process {} cannot be joined ({}): run this as the user who started the "
                  "container, or as root",
                  process.description(), process.pid(), std::generic_category().message(error)));
}

}  // namespace mirrorfs
