// How a target is reached: what settings say of that, as arguments of `mirrorfs mount`.
#ifndef MIRRORFS_LAUNCHER_PLAN_SERVICE_ARGUMENTS_H_
#define MIRRORFS_LAUNCHER_PLAN_SERVICE_ARGUMENTS_H_

#include "absl/status/statusor.h"
#include "launcher/config/environment.h"
#include "launcher/config/exec_settings.h"
#include "launcher/plan/invoker.h"
#include "launcher/plan/mount_arguments.h"

namespace mirrorfs {

// As `mirrorfs mount` is told them. What is meant for clusters counts for a target elsewhere only if a flag says it.
MountArguments ServiceArguments(const ExecSettings& settings, bool verbose);

// For commands that have flags of their own and read no settings otherwise: where these say nothing of a target in a
// cluster, the MIRRORFS_AGENT_ variables do, and the sections `agent` and `cluster` of the settings files that are
// found (load_settings.h). What the target's own words say counts more than those, and a target elsewhere is left as it
// is. Tells people of a file that is ignored. Fails like LoadSettings.
absl::StatusOr<MountArguments> WithSettings(MountArguments given, const Environment& environment,
                                            const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_SERVICE_ARGUMENTS_H_
