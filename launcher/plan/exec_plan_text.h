// A plan for people: what --dry-run prints.
#ifndef MIRRORFS_LAUNCHER_PLAN_EXEC_PLAN_TEXT_H_
#define MIRRORFS_LAUNCHER_PLAN_EXEC_PLAN_TEXT_H_

#include <string>

#include "launcher/plan/exec_plan.h"

namespace mirrorfs {

// Lines, each ended. `trees`: from TreesToBind, those that exist here.
std::string DescribeExecPlan(const ExecPlan& plan, absl::Span<const std::string> trees);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_EXEC_PLAN_TEXT_H_
