// Settings from files: our own form, and mirrord's.
#ifndef MIRRORFS_LAUNCHER_CONFIG_SETTINGS_FILE_H_
#define MIRRORFS_LAUNCHER_CONFIG_SETTINGS_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "launcher/config/config_node.h"
#include "launcher/config/exec_settings.h"
#include "launcher/config/setting_keys.h"

namespace mirrorfs {

// kProject: found in a directory, may be somebody else's work. kOwn: the user's, or one that the user has named.
enum class FileKind : uint8_t { kProject, kOwn };

// What the file says takes the place of what `settings` has. Fails with kUsage, naming file, line and key; an unknown
// key is an error with the nearest valid one.
absl::Status ApplyOwnForm(const ConfigNode& root, std::string_view file, FileKind kind, ExecSettings& settings);

// Likewise for a configuration of mirrord, of which `target`, `feature.fs` and `feature.env` count. Keys that have no
// meaning here are named in one warning.
absl::Status ApplyMirrordForm(const ConfigNode& root, std::string_view file, ExecSettings& settings,
                              std::vector<std::string>& warnings);

// By the file's name (mirrord.json, x.mirrord.toml, anything below .mirrord/) or by what is in it.
bool IsMirrordForm(const ConfigNode& root, std::string_view file);

// Stores a value in the form that its key wants. `key` is for messages.
absl::Status ApplyValue(const ConfigNode& value, std::string_view key, std::string_view file, SettingSlot slot);

// "FILE:LINE: KEY: what".
absl::Status ConfigError(std::string_view file, int line, std::string_view key, std::string_view what);

// "FILE:LINE".
std::string Place(std::string_view file, int line);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_SETTINGS_FILE_H_
