// Where configuration files lie when nobody names them.
#ifndef MIRRORFS_LAUNCHER_CONFIG_CONFIG_PLACES_H_
#define MIRRORFS_LAUNCHER_CONFIG_CONFIG_PLACES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "launcher/config/environment.h"

namespace mirrorfs {

// .mirrorfs.yaml in the directory or the nearest one above it.
std::optional<std::string> FindProjectFile(std::string_view working_directory);

// $XDG_CONFIG_HOME/mirrorfs/config.yaml, or below ~/.config; nothing if it is not there.
std::optional<std::string> FindUserFile(const Environment& environment);

enum class FileOwner : uint8_t { kUserOrRoot, kSomebodyElse };

struct ConfigText {
  std::string text;
  FileOwner owner;
};

// kFound: has to be a regular file. kNamed: may be a pipe, too, as a shell's <(...) makes one.
enum class ConfigOrigin : uint8_t { kFound, kNamed };

// The whole file, of at most 1 MiB. Fails with kFailed.
absl::StatusOr<ConfigText> ReadConfigFile(const std::string& path, ConfigOrigin origin);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_CONFIG_PLACES_H_
