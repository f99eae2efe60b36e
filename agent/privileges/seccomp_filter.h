// The system calls that the agent may make from now on.
#ifndef MIRRORFS_AGENT_PRIVILEGES_SECCOMP_FILTER_H_
#define MIRRORFS_AGENT_PRIVILEGES_SECCOMP_FILTER_H_

#include "absl/status/status.h"

namespace mirrorfs {

// An allow-list on every thread of the process: all else is EPERM (and logged where the kernel is told to).
// Needs no_new_privs or CAP_SYS_ADMIN. Cannot be undone.
absl::Status InstallSeccompFilter();

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_PRIVILEGES_SECCOMP_FILTER_H_
