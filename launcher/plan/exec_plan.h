// A run of a program in a view, as it is going to be done: what was asked for judged, defaults filled in. Made without
// touching the system, and printed by --dry-run.
#ifndef MIRRORFS_LAUNCHER_PLAN_EXEC_PLAN_H_
#define MIRRORFS_LAUNCHER_PLAN_EXEC_PLAN_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "launcher/config/exec_settings.h"
#include "launcher/plan/environment_choice.h"
#include "launcher/plan/exec_arguments.h"
#include "launcher/plan/invoker.h"
#include "launcher/plan/mount_plan.h"
#include "protos/policy/default_lists.h"
#include "protos/policy/policy_spec.h"

namespace mirrorfs {

// What the plan needs to know of the process that starts the program, besides who it is.
struct ProgramSurroundings {
  std::string working_directory;         // physical; empty if it has been deleted
  std::string shell;                     // $SHELL
  std::vector<std::string> environment;  // NAME=VALUE
  ProgramFacts facts;                    // for the default lists
  // Directories where this machine's programs have sockets, and sockets. A socket is not reached through a view: where
  // one lies in a tree that is not bound as a whole, these are bound.
  std::vector<std::string> socket_places;
};

struct ExecPlan {
  std::vector<std::string> command;  // argv
  MountPlan service;                 // agent and daemon
  bool user_namespace = false;       // for an ordinary user
  bool view = true;                  // false: everything is this machine's, nothing is mounted
  ExecSettings settings;             // of which the policy is made
  ProgramFacts facts;                // likewise
  std::vector<std::string> socket_places;
  bool asks_for_volumes = false;  // what is mounted into the target is the container's
  std::string layer;              // name of the private layer; empty: one of this run's own
  EnvironmentChoice environment;
  std::vector<std::string> own_environment;
  bool container_cwd = false;     // start in the target's working directory
  std::string working_directory;  // else here; empty: where this process is, which has no name any more
  bool is_shell = false;          // its prompt tells the target

  // What only the target's process can tell is needed before the program can start.
  bool NeedsProcessFacts() const { return environment.TakesFromTarget() || container_cwd || asks_for_volumes; }
};

// Fails with kUsage or kNotPermitted.
absl::StatusOr<ExecPlan> MakeExecPlan(const ExecArguments& arguments, const ExecSettings& settings,
                                      const Invoker& invoker, const ProgramSurroundings& surroundings);

// The agent that can be asked for the target's volumes; nothing if the settings take none over. What only a run can be
// refused for (rights, environment, directory) is no matter here. Fails with kUsage.
absl::StatusOr<std::optional<MountPlan>> PlanVolumeQuery(const ExecSettings& settings, const Invoker& invoker);

// `volumes`: those of the target; empty as long as they are not known.
PolicySpec PolicyOf(const ExecPlan& plan, absl::Span<const std::string> volumes);

// What is bound into the view at its own path, so that it is at hand without the daemon: the kernel's own trees, those
// that are this machine's as a whole, and of `socket_places` those that are this machine's and lie in none of them.
// Fails with kUsage if the policy has a rule that cannot be used.
absl::StatusOr<std::vector<std::string>> TreesToBind(const PolicySpec& policy,
                                                     absl::Span<const std::string> socket_places);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_EXEC_PLAN_H_
