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
std::vector<std::string> DaemonCommand(const MountPlan& plan, const std::string& endpoint, int control_fd);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_CHILD_COMMANDS_H_
