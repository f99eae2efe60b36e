#include "launcher/config/flag_settings.h"

#include <algorithm>
#include <array>

#include "fmt/format.h"
#include "launcher/config/pod_settings.h"
#include "launcher/failure.h"
#include "launcher/plan/nearest.h"
#include "launcher/split_text.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr std::string_view kPrefix = "MIRRORFS_FS_";
constexpr std::string_view kModeVariable = "MIRRORFS_FS_MODE";

struct ListVariable {
  std::string_view name;
  SourcedList FsSettings::*list;
};

constexpr std::array kListVariables = {
    ListVariable{"MIRRORFS_FS_NOT_FOUND", &FsSettings::not_found},
    ListVariable{"MIRRORFS_FS_READ_WRITE", &FsSettings::read_write},
    ListVariable{"MIRRORFS_FS_READ_ONLY", &FsSettings::read_only},
    ListVariable{"MIRRORFS_FS_LOCAL", &FsSettings::local},
};

template <typename Words>
SourcedList ListOf(const Words& words, const std::string& source) {
  SourcedList list{.value = {}, .source = source};
  for (const auto& word : words) list.value.push_back({std::string(word), source});
  return list;
}

void SetText(const std::optional<std::string>& flag, std::string_view name, Sourced<std::string>& setting) {
  if (flag) setting = {*flag, fmt::format("flag --{}", name)};
}

void SetFlag(bool given, std::string_view name, bool value, Sourced<bool>& setting) {
  if (given) setting = {value, fmt::format("flag --{}", name)};
}

absl::Status SetList(const std::optional<std::vector<std::string>>& flag, std::string_view name, SourcedList& setting) {
  if (!flag) return absl::OkStatus();
  if (std::find(flag->begin(), flag->end(), "") != flag->end()) {
    return Failure(ExitCode::kUsage, fmt::format("--{}: an empty text is found in everything; write a pattern.", name));
  }
  setting = ListOf(*flag, fmt::format("flag --{}", name));
  return absl::OkStatus();
}

absl::Status SetMappings(const std::vector<std::string>& words, Sourced<std::vector<PathMapping>>& setting) {
  setting = {.value = {}, .source = "flag --mapping"};
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Failure(ExitCode::kUsage, fmt::format("--mapping {}: write MATCH=REPLACE, for example "
                                                   "'^/srv/data=/tmp/data'; an = in MATCH is written \\x3d.",
                                                   word));
    }
    setting.value.push_back({word.substr(0, equals), word.substr(equals + 1), setting.source});
  }
  return absl::OkStatus();
}

absl::Status ApplyFileFlags(const ExecFlags& flags, FsSettings& fs) {
  if (flags.fs_mode) {
    ASSIGN_OR_RETURN(const FsMode mode, ParseMode(*flags.fs_mode, "--fs-mode"));
    fs.mode = {mode, "flag --fs-mode"};
  }
  RETURN_IF_ERROR(SetList(flags.not_found, "not-found", fs.not_found));
  RETURN_IF_ERROR(SetList(flags.read_write, "read-write", fs.read_write));
  RETURN_IF_ERROR(SetList(flags.read_only, "read-only", fs.read_only));
  RETURN_IF_ERROR(SetList(flags.local, "local", fs.local));
  SetFlag(flags.no_auto_mount, "no-auto-mount", false, fs.auto_mount);
  SetFlag(flags.show_credentials, "show-credentials", false, fs.hide_credentials);
  return flags.mapping ? SetMappings(*flags.mapping, fs.mapping) : absl::OkStatus();
}

void ApplyAgentFlags(const ExecFlags& flags, AgentSettings& agent) {
  SetText(flags.identity, "as", agent.identity);
  SetText(flags.deadline, "deadline", agent.deadline);
  SetFlag(flags.hard, "hard", true, agent.hard);
  SetText(flags.runtime_socket, "runtime-socket", agent.runtime_socket);
  SetText(flags.tls_ca, "tls-ca", agent.tls_ca);
  SetText(flags.tls_certificate, "tls-cert", agent.tls_certificate);
  SetText(flags.tls_key, "tls-key", agent.tls_key);
  SetText(flags.token_file, "token-file", agent.token_file);
  SetFlag(flags.follow, "follow", true, agent.follow);
  SetText(flags.agent_mode, "agent", agent.mode);
  SetText(flags.progress, "progress", agent.progress);
  ApplyPodFlags(flags.agent_pod, agent);
  SetText(flags.agent_path, "agent-program", agent.agent_path);
  SetText(flags.daemon_path, "mirrorfsd", agent.daemon_path);
}

void SetGiven(const std::string& flag, std::string_view name, Sourced<std::string>& setting) {
  if (!flag.empty()) setting = {flag, fmt::format("flag --{}", name)};
}

void ApplyClusterFlags(const ClusterFlags& flags, ExecSettings& settings) {
  SetGiven(flags.container, "container", settings.container);
  SetGiven(flags.selector, "selector", settings.selector);
  ClusterSettings& cluster = settings.cluster;
  SetGiven(flags.name_space, "namespace", cluster.name_space);
  SetGiven(flags.context, "context", cluster.context);
  SetGiven(flags.kubeconfig, "kubeconfig", cluster.kubeconfig);
  SetGiven(flags.impersonate, "kube-as", cluster.impersonate);
  if (!flags.impersonate_groups.empty()) {
    cluster.impersonate_groups = ListOf(flags.impersonate_groups, "flag --kube-as-group");
  }
}

absl::Status CheckVariableName(const std::string& name) {
  std::vector<std::string> known = {std::string(kModeVariable)};
  for (const ListVariable& variable : kListVariables) known.emplace_back(variable.name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return absl::OkStatus();
  return Failure(ExitCode::kUsage,
                 fmt::format("the environment variable {} means nothing to mirrorfs{}", name, DidYouMean(name, known)));
}

}  // namespace

absl::StatusOr<FsMode> ParseMode(std::string_view name, std::string_view origin) {
  if (const auto mode = FsModeNamed(name)) return *mode;
  const std::array<std::string, 4> known = {"read", "write", "local", "localwithoverrides"};
  return Failure(ExitCode::kUsage,
                 fmt::format("{}: there is no mode '{}'{} Modes are read, write, localwithoverrides and local.", origin,
                             name, DidYouMean(name, known)));
}

absl::Status ApplyFlags(const ExecFlags& flags, ExecSettings& settings) {
  SetText(flags.target, "target", settings.target);
  SetFlag(flags.container_cwd, "container-cwd", true, settings.container_cwd);
  RETURN_IF_ERROR(SetList(flags.env, "env", settings.env.include));
  RETURN_IF_ERROR(SetList(flags.env_exclude, "env-exclude", settings.env.exclude));
  ApplyClusterFlags(flags.cluster, settings);
  ApplyAgentFlags(flags, settings.agent);
  return ApplyFileFlags(flags, settings.fs);
}

absl::Status ApplyEnvironment(const Environment& environment, ExecSettings& settings) {
  RETURN_IF_ERROR(ApplyPodVariables(environment, settings.agent));
  for (auto entry = environment.lower_bound(kPrefix); entry != environment.end(); ++entry) {
    const auto& [name, value] = *entry;
    if (!name.starts_with(kPrefix)) break;
    RETURN_IF_ERROR(CheckVariableName(name));
    if (value.empty()) continue;
    if (name == kModeVariable) {
      ASSIGN_OR_RETURN(const FsMode mode, ParseMode(value, name));
      settings.fs.mode = {mode, name};
    }
    for (const ListVariable& variable : kListVariables) {
      if (variable.name == name) settings.fs.*variable.list = ListOf(SplitText(value, ';'), name);
    }
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
