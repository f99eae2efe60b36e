// Which of the target's environment variables a program gets.
#ifndef MIRRORFS_LAUNCHER_CONFIG_ENVIRONMENT_FILTER_H_
#define MIRRORFS_LAUNCHER_CONFIG_ENVIRONMENT_FILTER_H_

#include <string_view>

#include "launcher/config/exec_settings.h"
#include "launcher/config/load_settings.h"

namespace mirrorfs {

// `pattern`: a name in which * stands for any characters and ? for one.
bool NameMatches(std::string_view pattern, std::string_view name);

// Included, not excluded; and not one that is about the machine a program runs on (PATH, HOME, LD_LIBRARY_PATH ...),
// unless `include` has its very name.
bool TakesVariable(const EnvSettings& settings, std::string_view name);

// The program's environment: this machine's, what is taken over from the target's in its place, then `set` and `unset`.
Environment MergedEnvironment(const EnvSettings& settings, Environment own, const Environment& of_target);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_ENVIRONMENT_FILTER_H_
