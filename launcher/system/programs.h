// Where the programs are that mirrorfs runs.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_PROGRAMS_H_
#define MIRRORFS_LAUNCHER_SYSTEM_PROGRAMS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/plan/invoker.h"
#include "launcher/plan/mount_plan.h"

namespace mirrorfs {

// A program of ours: `given` if not empty, else beside mirrorfs, else in ../libexec/mirrorfs. Fails with kUnreachable.
absl::StatusOr<std::string> FindProgram(std::string_view name, const std::string& given,
                                        const std::string& executable_directory);

// Fills in where the programs are that serve a plan: the daemon and, if one is to be started, the agent.
absl::Status FindPrograms(const Invoker& invoker, MountPlan& plan);
// Likewise, for who starts an agent only.
absl::Status FindAgent(const Invoker& invoker, MountPlan& plan);

// A program in $PATH; empty if there is none. Relative entries do not count.
std::string SearchPath(const std::string& name);

// fusermount3, by which ordinary users mount; empty if it is not installed.
std::string FindFusermount();

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_PROGRAMS_H_
