// Environment variables, by name.
#ifndef MIRRORFS_LAUNCHER_CONFIG_ENVIRONMENT_H_
#define MIRRORFS_LAUNCHER_CONFIG_ENVIRONMENT_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace mirrorfs {

using Environment = std::map<std::string, std::string, std::less<>>;

// Of this process.
Environment CurrentEnvironment();

// Empty if there is none.
std::string ValueOf(const Environment& environment, std::string_view name);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_ENVIRONMENT_H_
