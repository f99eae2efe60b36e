#include "launcher/config/pod_settings.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "launcher/agentmodes/agent_pod_settings.h"
#include "launcher/failure.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Files have pull_policy where flags have --agent-pull-policy.
std::string KeyOf(std::string word) {
  std::replace(word.begin(), word.end(), '-', '_');
  return word;
}

std::string WordOf(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return key;
}

SourcedList ListFrom(const std::vector<std::string>& texts, const std::string& source) {
  SourcedList list{.value = {}, .source = source};
  for (const std::string& text : texts) list.value.push_back({text, source});
  return list;
}

}  // namespace

void ApplyPodFlags(const AgentPodWords& flags, AgentSettings& agent) {
  for (const auto& [name, texts] : flags) agent.pod[KeyOf(name)] = ListFrom(texts, "flag --agent-" + name);
}

absl::Status ApplyPodVariables(const Environment& environment, AgentSettings& agent) {
  ASSIGN_OR_RETURN(const AgentPodWords words, AgentPodWordsOf(environment));
  for (const auto& [name, texts] : words) {
    const std::string key = KeyOf(name);
    agent.pod[key] = ListFrom(texts, "MIRRORFS_AGENT_" + absl::AsciiStrToUpper(key));
  }
  return absl::OkStatus();
}

absl::Status CheckPodSettings(const AgentSettings& agent) {
  for (const auto& [key, list] : agent.pod) {
    if (list.value.empty()) continue;
    AgentPodSpec nobodys;
    const absl::Status applied = ApplyAgentPodWords({{WordOf(key), TextsOf(list)}}, "agent.", nobodys);
    if (!applied.ok()) return Failure(ExitCodeOf(applied), fmt::format("{}: {}", list.source, MessageOf(applied)));
  }
  return absl::OkStatus();
}

AgentPodWords PodWordsOf(const AgentSettings& agent, const std::function<bool(const SourcedList&)>& counts) {
  AgentPodWords words;
  for (const auto& [key, list] : agent.pod) {
    if (!list.value.empty() && counts(list)) words[WordOf(key)] = TextsOf(list);
  }
  return words;
}

}  // namespace mirrorfs
