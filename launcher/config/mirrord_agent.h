// The object "agent" of a mirrord configuration, as far as it means something here.
#ifndef MIRRORFS_LAUNCHER_CONFIG_MIRRORD_AGENT_H_
#define MIRRORFS_LAUNCHER_CONFIG_MIRRORD_AGENT_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "launcher/config/config_node.h"
#include "launcher/config/exec_settings.h"

namespace mirrorfs {

// False, and nothing set, for a key without meaning here; its image is one of those: that is another agent's. Fails
// with kUsage for a value of a shape that mirrord does not know.
absl::StatusOr<bool> ApplyMirrordAgentKey(const ConfigEntry& entry, std::string_view file, AgentSettings& agent);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_MIRRORD_AGENT_H_
