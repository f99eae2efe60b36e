// Settings as `mirrorfs config show` prints them: every key with its value and where that was said.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_SETTINGS_REPORT_H_
#define MIRRORFS_LAUNCHER_COMMANDS_SETTINGS_REPORT_H_

#include <string>

#include "launcher/config/load_settings.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// A table of KEY, VALUE, SOURCE; an entry of a list has a line of its own.
std::string SettingsTable(LoadedSettings loaded);

// {"files": [...], "settings": {"fs.mode": {"value": ..., "source": ...}, ...}}; entries of lists have their own
// "source".
nlohmann::ordered_json SettingsJson(LoadedSettings loaded);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_SETTINGS_REPORT_H_
