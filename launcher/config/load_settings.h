// Where settings come from. For each key the first of these that has it counts, as a whole (lists are not joined):
//   flag
//   environment: MIRRORFS_FS_MODE, MIRRORFS_FS_NOT_FOUND, _READ_WRITE, _READ_ONLY, _LOCAL; lists separated by ';'
//   the file of -f
//   .mirrorfs.yaml in the working directory or the nearest directory above it
//   $XDG_CONFIG_HOME/mirrorfs/config.yaml (~/.config where that is unset)
//   default
#ifndef MIRRORFS_LAUNCHER_CONFIG_LOAD_SETTINGS_H_
#define MIRRORFS_LAUNCHER_CONFIG_LOAD_SETTINGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/config/environment.h"
#include "launcher/config/exec_flags.h"
#include "launcher/config/exec_settings.h"

namespace mirrorfs {

struct LoadedSettings {
  ExecSettings settings;
  std::vector<std::string> files;     // that were read, the first counts most
  std::vector<std::string> warnings;  // for people, one line each: say them once
};

// Reads files; touches nothing else. `working_directory`: absolute. Every error is a Failure with kUsage that names
// file, line and key, and the nearest valid key; a file that cannot be read is kFailed. Neither the target nor patterns
// are judged here: that is up to who needs them (make_policy.h).
absl::StatusOr<LoadedSettings> LoadSettings(const ExecFlags& flags, const Environment& environment,
                                            std::string_view working_directory);

// Of the files that are found, and the MIRRORFS_AGENT_ variables: for commands that have none of exec's flags, and want
// the sections `agent` and `cluster`. Fails likewise.
absl::StatusOr<LoadedSettings> LoadClusterSettings(const Environment& environment, std::string_view working_directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_LOAD_SETTINGS_H_
