#include "launcher/agentmodes/agent_pod_settings.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/plan/duration.h"
#include "launcher/plan/nearest.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using Spec = AgentPodSpec;
using Text = std::string_view;

constexpr Text kVariablePrefix = "MIRRORFS_AGENT_";

absl::Status Expected(const char* what) { return absl::InvalidArgumentError(what); }

template <auto Member>
absl::Status SetText(Text text, Spec& spec) {
  if (text.empty()) return Expected("a text that is not empty");
  spec.*Member = std::string(text);
  return absl::OkStatus();
}

template <auto Member>
absl::Status SetTime(Text text, Spec& spec) {
  const auto time = ParseDuration("", text);
  if (!time.ok()) return Expected("a time like 30s or 5m");
  spec.*Member = *time;
  return absl::OkStatus();
}

template <auto Member, bool Value>
absl::Status SetSwitch(Text text, Spec& spec) {
  if (text != "true" && text != "false") return Expected("true or false");
  spec.*Member = (text == "true") == Value;
  return absl::OkStatus();
}

template <auto Member>
absl::Status AddPair(Text text, Spec& spec) {
  const size_t equals = text.find('=');
  if (equals == Text::npos || equals == 0) return Expected("NAME=VALUE");
  (spec.*Member)[std::string(text.substr(0, equals))] = std::string(text.substr(equals + 1));
  return absl::OkStatus();
}

template <auto Member>
void Clear(Spec& spec) {
  (spec.*Member).clear();
}

absl::Status SetPullPolicy(Text text, Spec& spec) {
  for (const Text policy : {"Always", "IfNotPresent", "Never"}) {
    if (text == policy) return SetText<&Spec::pull_policy>(text, spec);
  }
  return Expected("Always, IfNotPresent or Never");
}

absl::Status AddPullSecret(Text text, Spec& spec) {
  if (text.empty()) return Expected("the name of a secret");
  spec.pull_secrets.emplace_back(text);
  return absl::OkStatus();
}

// As kubectl taint writes them: key=value:Effect, key:Effect, key, or :Effect.
absl::Status AddToleration(Text text, Spec& spec) {
  AgentToleration toleration;
  const size_t colon = text.find(':');
  if (colon != Text::npos) toleration.effect = std::string(text.substr(colon + 1));
  for (const Text effect : {"", "NoSchedule", "PreferNoSchedule", "NoExecute"}) {
    if (toleration.effect != effect) continue;
    const Text taint = text.substr(0, colon);
    toleration.key = std::string(taint.substr(0, taint.find('=')));
    if (taint.find('=') != Text::npos) toleration.value = std::string(taint.substr(taint.find('=') + 1));
    if (toleration.key.empty() && !toleration.value.empty()) break;
    spec.tolerations.push_back(std::move(toleration));
    return absl::OkStatus();
  }
  return Expected("KEY[=VALUE][:NoSchedule|PreferNoSchedule|NoExecute]");
}

absl::Status SetPidFrom(Text text, Spec& spec) {
  if (text != "runtime" && text != "cgroup") return Expected("runtime or cgroup");
  spec.pid_from_cgroup = text == "cgroup";
  return absl::OkStatus();
}

absl::Status SetPort(Text text, Spec& spec) {
  int port = 0;
  if (!absl::SimpleAtoi(std::string(text), &port) || port < 1 || port > 65535) return Expected("a port, 1 to 65535");
  spec.port = port;
  return absl::OkStatus();
}

constexpr std::array kKeys = {
    AgentPodKey{"image", "IMAGE", "the agent's image, best with a digest: NAME@sha256:...", false,
                SetText<&Spec::image>},
    AgentPodKey{"pull-policy", "POLICY", "Always, IfNotPresent (default) or Never", false, SetPullPolicy},
    AgentPodKey{"pull-secret", "SECRET", "for the image's registry", true, AddPullSecret, Clear<&Spec::pull_secrets>},
    AgentPodKey{"service-account", "NAME", "of the job's pod; no token of it is mounted", false,
                SetText<&Spec::service_account>},
    AgentPodKey{"namespace", "NAME", "of the job (default: the target's), and of shared agents (default: mirrorfs)",
                false, SetText<&Spec::name_space>},
    AgentPodKey{"priority-class", "NAME", "of the job's pod", false, SetText<&Spec::priority_class>},
    AgentPodKey{"request", "NAME=QUANTITY", "resources, such as cpu=50m", true, AddPair<&Spec::requests>,
                Clear<&Spec::requests>},
    AgentPodKey{"limit", "NAME=QUANTITY", "resources, such as memory=512Mi", true, AddPair<&Spec::limits>,
                Clear<&Spec::limits>},
    AgentPodKey{"label", "NAME=VALUE", "of the job and its pod", true, AddPair<&Spec::labels>, Clear<&Spec::labels>},
    AgentPodKey{"annotation", "NAME=VALUE", "likewise", true, AddPair<&Spec::annotations>, Clear<&Spec::annotations>},
    AgentPodKey{"toleration", "KEY[=VALUE][:EFFECT]", "taints of nodes (default: all)", true, AddToleration,
                Clear<&Spec::tolerations>},
    AgentPodKey{"ttl", "TIME", "how long it outlives a client that vanished (default 30s; 0: its pod stays)", false,
                SetTime<&Spec::ttl>},
    AgentPodKey{"active-deadline", "TIME", "it is ended after so long in any case", false,
                SetTime<&Spec::active_deadline>},
    AgentPodKey{"start-limit", "TIME", "how long it may take to start (default 60s)", false,
                SetTime<&Spec::start_limit>},
    AgentPodKey{"privileged", "", "a privileged container, instead of the capabilities that are needed", false,
                SetSwitch<&Spec::privileged, true>},
    AgentPodKey{"keep-mesh", "", "do not ask service meshes to leave its pod alone", false,
                SetSwitch<&Spec::mesh_opt_out, false>},
    AgentPodKey{"pid-from", "SOURCE",
                "who tells the target's process: runtime (default), or cgroup, which needs no socket", false,
                SetPidFrom},
    AgentPodKey{"port", "PORT", "of its pod's loopback (default 7443)", false, SetPort},
};

std::string VariableName(Text name) {
  std::string variable(kVariablePrefix);
  for (const char letter : name) {
    variable += letter == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return variable;
}

const AgentPodKey* Find(Text name) {
  const auto found =
      std::find_if(kKeys.begin(), kKeys.end(), [name](const AgentPodKey& key) { return key.name == name; });
  return found == kKeys.end() ? nullptr : &*found;
}

absl::Status Wrong(const std::string& where, Text word, const absl::Status& expected) {
  return Failure(ExitCode::kUsage, fmt::format("{} {}: expected {}.", where, word, MessageOf(expected)));
}

}  // namespace

absl::Span<const AgentPodKey> AgentPodKeys() { return kKeys; }

void AddAgentPodFlags(boost::program_options::options_description& options, AgentPodWords& words) {
  namespace po = boost::program_options;
  for (const AgentPodKey& key : kKeys) {
    const std::string flag = fmt::format("agent-{}", key.name);
    if (key.value.empty()) {
      options.add_options()(flag.c_str(), po::bool_switch()->notifier([&words, &key](bool given) {
        if (given) words[std::string(key.name)] = {"true"};
      }));
    } else {
      options.add_options()(flag.c_str(), po::value<std::vector<std::string>>()->composing()->notifier(
                                              [&words, &key](const std::vector<std::string>& given) {
                                                words[std::string(key.name)] = given;
                                              }));
    }
  }
}

std::string AgentPodFlagsHelp() {
  std::string text;
  for (const AgentPodKey& key : kKeys) {
    const std::string flag = fmt::format("--agent-{} {}", key.name, key.value);
    text += fmt::format("  {:<38} {}{}\n", flag, key.description, key.repeated ? "; may be repeated" : "");
  }
  return text;
}

absl::Status ApplyAgentPodWords(const AgentPodWords& words, std::string_view source, AgentPodSpec& spec) {
  const bool variables = source == kVariablePrefix;
  for (const auto& [name, given] : words) {
    const AgentPodKey* key = Find(name);
    if (key == nullptr) return Failure(ExitCode::kUsage, fmt::format("{}{} means nothing.", source, name));
    const std::string where = variables ? VariableName(name) : fmt::format("{}{}", source, name);
    if (given.size() > 1 && !key->repeated) return Failure(ExitCode::kUsage, fmt::format("{}: say it once.", where));
    if (key->clear != nullptr) key->clear(spec);
    for (const std::string& word : given) {
      if (const absl::Status set = key->set(word, spec); !set.ok()) return Wrong(where, word, set);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<AgentPodWords> AgentPodWordsOf(const Environment& environment) {
  std::vector<std::string> known;
  known.reserve(kKeys.size());
  for (const AgentPodKey& key : kKeys) known.push_back(VariableName(key.name));
  AgentPodWords words;
  for (auto entry = environment.lower_bound(kVariablePrefix); entry != environment.end(); ++entry) {
    const auto& [name, value] = *entry;
    if (!name.starts_with(kVariablePrefix)) break;
    const auto key = std::find_if(kKeys.begin(), kKeys.end(),
                                  [&name = name](const AgentPodKey& one) { return VariableName(one.name) == name; });
    if (key == kKeys.end()) {
      return Failure(ExitCode::kUsage, fmt::format("the environment variable {} means nothing to mirrorfs{}", name,
                                                   DidYouMean(name, known)));
    }
    if (value.empty()) continue;
    words[std::string(key->name)] = key->repeated
                                        ? std::vector<std::string>(absl::StrSplit(value, ';', absl::SkipEmpty()))
                                        : std::vector<std::string>{value};
  }
  return words;
}

nlohmann::json ToJson(const AgentPodSpec& spec) {
  nlohmann::json tolerations = nlohmann::json::array();
  for (const AgentToleration& toleration : spec.tolerations) {
    tolerations.push_back({toleration.key, toleration.value, toleration.effect});
  }
  return {{"image", spec.image},
          {"image_is_named", spec.image_is_named},
          {"pull_policy", spec.pull_policy},
          {"pull_secrets", spec.pull_secrets},
          {"service_account", spec.service_account},
          {"namespace", spec.name_space},
          {"priority_class", spec.priority_class},
          {"requests", spec.requests},
          {"limits", spec.limits},
          {"labels", spec.labels},
          {"annotations", spec.annotations},
          {"tolerations", std::move(tolerations)},
          {"ttl", absl::ToDoubleSeconds(spec.ttl)},
          {"active_deadline", absl::ToDoubleSeconds(spec.active_deadline)},
          {"start_limit", absl::ToDoubleSeconds(spec.start_limit)},
          {"privileged", spec.privileged},
          {"mesh_opt_out", spec.mesh_opt_out},
          {"pid_from_cgroup", spec.pid_from_cgroup},
          {"runtime_socket", spec.runtime_socket},
          {"port", spec.port}};
}

AgentPodSpec AgentPodSpecOf(const nlohmann::json& json) {
  AgentPodSpec spec;
  spec.image = json.value("image", "");
  spec.image_is_named = json.value("image_is_named", true);
  spec.pull_policy = json.value("pull_policy", spec.pull_policy);
  spec.pull_secrets = json.value("pull_secrets", spec.pull_secrets);
  spec.service_account = json.value("service_account", "");
  spec.name_space = json.value("namespace", "");
  spec.priority_class = json.value("priority_class", "");
  spec.requests = json.value("requests", spec.requests);
  spec.limits = json.value("limits", spec.limits);
  spec.labels = json.value("labels", spec.labels);
  spec.annotations = json.value("annotations", spec.annotations);
  for (const auto& toleration : json.value("tolerations", nlohmann::json::array())) {
    spec.tolerations.push_back({toleration[0], toleration[1], toleration[2]});
  }
  spec.ttl = absl::Seconds(json.value("ttl", 0.0));
  spec.active_deadline = absl::Seconds(json.value("active_deadline", 0.0));
  spec.start_limit = absl::Seconds(json.value("start_limit", 0.0));
  spec.privileged = json.value("privileged", false);
  spec.mesh_opt_out = json.value("mesh_opt_out", true);
  spec.pid_from_cgroup = json.value("pid_from_cgroup", false);
  spec.runtime_socket = json.value("runtime_socket", "");
  spec.port = json.value("port", spec.port);
  return spec;
}

}  // namespace mirrorfs
