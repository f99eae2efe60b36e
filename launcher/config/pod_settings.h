// What sources say of the agent's pod (agent.image and so on), and the words that a plan takes.
#ifndef MIRRORFS_LAUNCHER_CONFIG_POD_SETTINGS_H_
#define MIRRORFS_LAUNCHER_CONFIG_POD_SETTINGS_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "launcher/config/environment.h"
#include "launcher/config/exec_settings.h"

namespace mirrorfs {

void ApplyPodFlags(const AgentPodWords& flags, AgentSettings& agent);
// The MIRRORFS_AGENT_ variables. Fails with kUsage.
absl::Status ApplyPodVariables(const Environment& environment, AgentSettings& agent);

// Fails with kUsage, and the place, if a key cannot have the value that it is given.
absl::Status CheckPodSettings(const AgentSettings& agent);

// Of the settings that `counts`.
AgentPodWords PodWordsOf(const AgentSettings& agent, const std::function<bool(const SourcedList&)>& counts);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_POD_SETTINGS_H_
