// Programs that a tunnel runs. They end with it, whatever ends it.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_TUNNEL_CHILD_H_
#define MIRRORFS_LAUNCHER_TUNNEL_TUNNEL_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

struct TunnelChildOptions {
  std::vector<std::string> command;    // argv; the first is a path
  std::vector<std::string> variables;  // NAME=VALUE, in addition to this process's environment
  int stream = -1;                     // becomes stdin and stdout
  int errors = -1;                     // becomes stderr; -1: this process's
};

// It has a session and a process group of its own, and is killed when the calling thread ends.
absl::StatusOr<pid_t> StartTunnelChild(const TunnelChildOptions& options);

// SIGKILL for it and all of its process group. It has not been reaped.
void KillTunnelChild(pid_t pid);
// The same for what is left of the group when it has just been reaped.
void KillLeftBehind(pid_t pid);

// The path of a program: `name` in $PATH, unless the environment variable `variable` names another one. Fails with
// kUnreachable.
absl::StatusOr<std::string> FindInPath(const std::string& name, const char* variable);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_TUNNEL_CHILD_H_
