// Settings from the command line and from the environment.
#ifndef MIRRORFS_LAUNCHER_CONFIG_FLAG_SETTINGS_H_
#define MIRRORFS_LAUNCHER_CONFIG_FLAG_SETTINGS_H_

#include "absl/status/status.h"
#include "launcher/config/environment.h"
#include "launcher/config/exec_flags.h"
#include "launcher/config/exec_settings.h"

namespace mirrorfs {

// What was given takes the place of what `settings` has. Fails with kUsage.
absl::Status ApplyFlags(const ExecFlags& flags, ExecSettings& settings);

// Likewise. A variable MIRRORFS_FS_* that does not exist is an error; an empty one is as if it were not set.
absl::Status ApplyEnvironment(const Environment& environment, ExecSettings& settings);

// The mode of this name, or kUsage; `origin` says where the name stands.
absl::StatusOr<FsMode> ParseMode(std::string_view name, std::string_view origin);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_FLAG_SETTINGS_H_
