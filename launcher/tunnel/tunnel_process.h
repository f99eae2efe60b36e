// mirrorfs-tunnel: to its keeper it is an agent, and the agent itself is somewhere else.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_TUNNEL_PROCESS_H_
#define MIRRORFS_LAUNCHER_TUNNEL_TUNNEL_PROCESS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace mirrorfs {

// What main() does in a process of that name (kTunnelName, launcher/plan/child_commands.h; TunnelCommand makes its
// words). Keeps to the agent's contract: a line "ready ENDPOINT" to the ready descriptor when it listens, "target gone"
// when the container has ended, facts of the target's process to another, its log and the reason of its end to stderr,
// the command's exit codes. Besides, "pod NAMESPACE/POD/CONTAINER" if it has a log there, and "container TEXT" before
// it is ready: the next tunnel is told that, so that it will not take another container, or the same one started anew,
// for the one that was mounted. Before that it says how far it has come, where an agent takes its time to start:
// "progress STEP DETAIL". Ends when its parent does, and with it ends all that it has started, here and in the
// container. Once the container has ended, it becomes an agent of this machine that says so to everybody.
absl::Status RunTunnelProcess(absl::Span<const std::string> words);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_TUNNEL_PROCESS_H_
