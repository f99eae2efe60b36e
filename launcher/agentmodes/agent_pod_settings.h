// How the user says what the agent's pod is to be like: one table for flags, environment and files.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_AGENT_POD_SETTINGS_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_AGENT_POD_SETTINGS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "boost/program_options.hpp"
#include "launcher/agentmodes/agent_pod_spec.h"
#include "launcher/config/environment.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

struct AgentPodKey {
  std::string_view name;   // "pull-policy": --agent-pull-policy, MIRRORFS_AGENT_PULL_POLICY
  std::string_view value;  // for help: "POLICY"; empty: a switch
  std::string_view description;
  bool repeated = false;  // several may be given; in the environment with ; between
  // Sets it from one text. INVALID_ARGUMENT says what is expected.
  absl::Status (*set)(std::string_view text, AgentPodSpec& spec);
  // Forgets what an earlier source has said, for those that may be given several times.
  void (*clear)(AgentPodSpec& spec) = nullptr;
};

absl::Span<const AgentPodKey> AgentPodKeys();

// Adds a flag for each key. `words` must outlive the parsing.
void AddAgentPodFlags(boost::program_options::options_description& options, AgentPodWords& words);

// About these flags: lines that are indented by two spaces.
std::string AgentPodFlagsHelp();

// What `words` say takes the place of what `spec` has. `source` ("flag --agent-", "MIRRORFS_AGENT_") is for messages.
// Fails with kUsage.
absl::Status ApplyAgentPodWords(const AgentPodWords& words, std::string_view source, AgentPodSpec& spec);

// The MIRRORFS_AGENT_ variables among them. Fails with kUsage, also for one that means nothing.
absl::StatusOr<AgentPodWords> AgentPodWordsOf(const Environment& environment);

// To hand it to the keeper and the tunnel, and back.
nlohmann::json ToJson(const AgentPodSpec& spec);
AgentPodSpec AgentPodSpecOf(const nlohmann::json& json);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_AGENT_POD_SETTINGS_H_
