// The command lines of the two programs that a keeper starts.
#ifndef MIRRORFS_LAUNCHER_PLAN_CHILD_COMMANDS_H_
#define MIRRORFS_LAUNCHER_PLAN_CHILD_COMMANDS_H_

#include <string>
#include <vector>

#include "launcher/plan/mount_plan.h"

namespace mirrorfs {

// Seconds that an agent without a session goes on, so that it outlives a keeper that was killed no longer than the
// daemon needs it, and gives itself up after that.
inline constexpr int kAgentIdleSeconds = 60;

// The mount point of a daemon that is handed its mount as the descriptor after the one to its keeper.
inline constexpr char kMountedDescriptor[] = "/dev/fd/4";

// argv[0] included. The file descriptor numbers are those that the child will see.
// `facts_fd`: where to tell what the target's process is like; -1: nowhere.
std::vector<std::string> AgentCommand(const MountPlan& plan, const std::string& socket, int ready_fd,
                                      int facts_fd = -1);

// The tunnel that stands for the agent where that runs in the container (launcher/tunnel/tunnel_process.h).
inline constexpr char kTunnelName[] = "mirrorfs-tunnel";  // argv[0], by which main() knows it
struct TunnelDescriptors {
  int ready_fd = -1;
  int plan_fd = -1;   // a file with the serialized plan
  int facts_fd = -1;  // as AgentCommand's
};
// What earlier tunnels have said; empty: nothing.
struct TunnelContainers {
  std::string expected;  // it is to be that one
  std::string left;      // or, as that one has ended, any other that the plan's workload has now
};
std::vector<std::string> TunnelCommand(const MountPlan& plan, const std::string& socket,
                                       const TunnelDescriptors& descriptors, const TunnelContainers& containers);
// What the agent may do, of its arguments in AgentCommand.
std::vector<std::string> AgentModeArguments(const MountPlan& plan);
// Which identities it is asked to take on.
std::string AgentIdentities(const MountPlan& plan);
// Where a tunnel at `socket` writes the token that its agent wants to see (HasPod), for the daemon.
std::string TunnelTokenFile(const std::string& socket);
// An agent that says at `socket` that the target has ended.
std::vector<std::string> EndedAgentCommand(const MountPlan& plan, const std::string& socket);

std::vector<std::string> DaemonCommand(const MountPlan& plan, const std::string& endpoint, int control_fd);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_CHILD_COMMANDS_H_
