// From settings to the policy: the user's lists, the target's volumes and the default lists, in their order.
#ifndef MIRRORFS_LAUNCHER_CONFIG_MAKE_POLICY_H_
#define MIRRORFS_LAUNCHER_CONFIG_MAKE_POLICY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "launcher/config/exec_settings.h"
#include "protos/policy/default_lists.h"
#include "protos/policy/path_policy.h"

namespace mirrorfs {

// `volumes`: absolute mount points of the target's volumes; they count unless fs.auto_mount is off. The daemon is given
// this as text: EncodePolicySpec().
PolicySpec MakePolicy(const ExecSettings& settings, const ProgramFacts& facts, absl::Span<const std::string> volumes);

// PathPolicy::Compile, with errors as Failures of kUsage.
absl::StatusOr<PathPolicy> CompilePolicy(PolicySpec spec);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_MAKE_POLICY_H_
