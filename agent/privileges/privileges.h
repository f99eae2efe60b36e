// What the agent gives up before it serves: capabilities beyond its mode's, new privileges, system calls.
#ifndef MIRRORFS_AGENT_PRIVILEGES_PRIVILEGES_H_
#define MIRRORFS_AGENT_PRIVILEGES_PRIVILEGES_H_

#include "absl/status/status.h"

namespace mirrorfs {

struct PrivilegeOptions {
  bool read_write = false;  // else only what reading needs
  bool devices = false;     // with read_write: device nodes may be made
  bool own_rights = false;  // nobody else's rights are ever taken on
};

// Keeps exactly the capabilities of the mode (those of them that the process has), empties bounding, ambient and
// inheritable sets, sets SECBIT_NO_SETUID_FIXUP (and locks it), no_new_privs, and installs the seccomp allow-list.
// Call it before any thread exists, after everything that needs more (the runtime's socket, listening): threads inherit
// all.
absl::Status DropPrivileges(const PrivilegeOptions& options);

// The same with no capability at all: for a process that only passes bytes on.
absl::Status DropAllPrivileges();

// Nothing is effective any more, in this thread and those that it makes; the programs that they start as root have
// again what they are permitted.
absl::Status LayDownCapabilities();

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_PRIVILEGES_PRIVILEGES_H_
