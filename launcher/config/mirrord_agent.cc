#include "launcher/config/mirrord_agent.h"

#include <array>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "launcher/config/settings_file.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using Kind = ConfigNode::Kind;

// How mirrord says what `ours` is told.
enum class Shape : uint8_t {
  kText,     // as it is
  kSeconds,  // a number
  kPairs,    // {name: value}
  kNames,    // [{name: text}], or texts
  kTaints,   // [{key: , operator: , value: , effect: }]
};
struct Mapping {
  std::string_view theirs;
  const char* ours;
  Shape shape;
};
constexpr std::array kMappings = {
    Mapping{"namespace", "namespace", Shape::kText},
    Mapping{"service_account", "service_account", Shape::kText},
    Mapping{"priority_class", "priority_class", Shape::kText},
    Mapping{"image_pull_policy", "pull_policy", Shape::kText},
    Mapping{"privileged", "privileged", Shape::kText},
    Mapping{"ttl", "ttl", Shape::kSeconds},
    Mapping{"startup_timeout", "start_limit", Shape::kSeconds},
    Mapping{"labels", "label", Shape::kPairs},
    Mapping{"annotations", "annotation", Shape::kPairs},
    Mapping{"image_pull_secrets", "pull_secret", Shape::kNames},
    Mapping{"tolerations", "toleration", Shape::kTaints},
};

std::string TextAt(const ConfigNode& map, std::string_view key) {
  const ConfigNode* value = map.Find(key);
  return value != nullptr && value->IsText() ? value->text : std::string();
}

std::string Taint(const ConfigNode& item) {
  const std::string value = TextAt(item, "value");
  const std::string effect = TextAt(item, "effect");
  return TextAt(item, "key") + (value.empty() ? "" : "=" + value) + (effect.empty() ? "" : ":" + effect);
}

std::vector<std::string> TextsOf(const ConfigNode& value, Shape shape) {
  std::vector<std::string> texts;
  if (value.IsText() && shape == Shape::kText) texts.push_back(value.text);
  if (value.IsText() && shape == Shape::kSeconds) texts.push_back(value.text + "s");
  if (shape == Shape::kPairs) {
    for (const ConfigEntry& entry : value.entries) texts.push_back(entry.key + "=" + entry.value.text);
  }
  for (const ConfigNode& item : value.items) {
    if (shape == Shape::kTaints) texts.push_back(Taint(item));
    if (shape == Shape::kNames) texts.push_back(item.IsText() ? item.text : TextAt(item, "name"));
  }
  return texts;
}

absl::Status Set(const char* ours, Shape shape, const ConfigEntry& entry, std::string_view file, AgentSettings& agent) {
  SourcedList list{.value = {}, .source = Place(file, entry.line)};
  for (const std::string& text : TextsOf(entry.value, shape)) list.value.push_back({text, list.source});
  if (list.value.empty())
    return ConfigError(file, entry.line, "agent." + entry.key, "it has no value of a known form.");
  agent.pod[ours] = std::move(list);
  return absl::OkStatus();
}

// {requests: {cpu: 1m}, limits: {memory: 1Gi}}
absl::Status SetResources(const ConfigEntry& entry, std::string_view file, AgentSettings& agent) {
  for (const ConfigEntry& inner : entry.value.entries) {
    const bool requests = inner.key == "requests";
    if (!requests && inner.key != "limits") {
      return ConfigError(file, inner.line, "agent.resources", "expected keys: requests, limits.");
    }
    RETURN_IF_ERROR(Set(requests ? "request" : "limit", Shape::kPairs, inner, file, agent));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> ApplyMirrordAgentKey(const ConfigEntry& entry, std::string_view file, AgentSettings& agent) {
  if (entry.value.kind == Kind::kNothing) return true;
  if (entry.key == "ephemeral") {
    if (entry.value.text == "true") agent.mode = {"ephemeral", Place(file, entry.line)};
    return true;
  }
  if (entry.key == "resources") {
    RETURN_IF_ERROR(SetResources(entry, file, agent));
    return true;
  }
  for (const Mapping& mapping : kMappings) {
    if (mapping.theirs != entry.key) continue;
    RETURN_IF_ERROR(Set(mapping.ours, mapping.shape, entry, file, agent));
    return true;
  }
  return false;
}

}  // namespace mirrorfs
