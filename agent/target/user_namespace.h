// Joining the user namespace of a rootless container.
#ifndef MIRRORFS_AGENT_TARGET_USER_NAMESPACE_H_
#define MIRRORFS_AGENT_TARGET_USER_NAMESPACE_H_

#include "absl/status/status.h"
#include "agent/target/held_process.h"

namespace mirrorfs {

// An ordinary user has no rights over the other users of his rootless container, except in its user namespace, which is
// his. So a process without SYS_PTRACE enters the namespace, where it has all capabilities, for good; another one stays
// where it is. Needs a process of one thread.
absl::Status JoinUserNamespaceIfNeeded(const HeldProcess& process);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_USER_NAMESPACE_H_
