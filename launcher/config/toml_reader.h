// TOML files, for ParseConfig. Apart, because the library is large.
#ifndef MIRRORFS_LAUNCHER_CONFIG_TOML_READER_H_
#define MIRRORFS_LAUNCHER_CONFIG_TOML_READER_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "launcher/config/config_node.h"

namespace mirrorfs {

absl::StatusOr<ConfigNode> ParseToml(const std::string& text, std::string_view file);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_TOML_READER_H_
