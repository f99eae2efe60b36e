// Does what a plan says, step by step, and becomes the program.
#ifndef MIRRORFS_LAUNCHER_NAMESPACE_LAUNCH_H_
#define MIRRORFS_LAUNCHER_NAMESPACE_LAUNCH_H_

#include "absl/status/status.h"
#include "launcher/plan/exec_plan.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// Returns only if the program was not started; then everything is cleared away, or is about to be by the keeper.
absl::Status Launch(ExecPlan plan, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_NAMESPACE_LAUNCH_H_
