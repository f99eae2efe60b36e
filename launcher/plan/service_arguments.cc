#include "launcher/plan/service_arguments.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "launcher/config/load_settings.h"
#include "launcher/config/pod_settings.h"
#include "launcher/own_name.h"
#include "launcher/plan/target_spec.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// For a target elsewhere only what was said on the command line: there it is a mistake, in a file it is meant for other
// targets.
template <typename T>
bool CountsForCluster(const Sourced<T>& setting, const ExecSettings& settings) {
  const bool in_cluster = settings.target.value.empty() || IsClusterTarget(settings.target.value + " ");
  return in_cluster || setting.source.starts_with("flag ");
}

ClusterFlags ClusterFlagsOf(const ExecSettings& settings) {
  const auto counts = [&settings](const auto& setting) { return CountsForCluster(setting, settings); };
  const auto text = [&counts](const Sourced<std::string>& setting) { return counts(setting) ? setting.value : ""; };
  const ClusterSettings& cluster = settings.cluster;
  return {.container = text(settings.container),
          .selector = text(settings.selector),
          .name_space = text(cluster.name_space),
          .context = text(cluster.context),
          .kubeconfig = text(cluster.kubeconfig),
          .impersonate = text(cluster.impersonate),
          .impersonate_groups =
              counts(cluster.impersonate_groups) ? TextsOf(cluster.impersonate_groups) : std::vector<std::string>()};
}

// Of a target whose words name one already, nothing is said.
void FillAccess(const ClusterAccess& named, const ClusterFlags& said, ClusterFlags& flags) {
  const auto fill = [](const auto& in_target, const auto& setting, auto& flag) {
    if (in_target.empty() && flag.empty()) flag = setting;
  };
  fill(named.name_space, said.name_space, flags.name_space);
  fill(named.context, said.context, flags.context);
  fill(named.kubeconfig, said.kubeconfig, flags.kubeconfig);
  fill(named.impersonate, said.impersonate, flags.impersonate);
  fill(named.impersonate_groups, said.impersonate_groups, flags.impersonate_groups);
}

void FillService(MountArguments said, MountArguments& given) {
  if (given.agent_mode.empty()) given.agent_mode = std::move(said.agent_mode);
  if (!given.identity) given.identity = std::move(said.identity);
  if (!given.hard && !given.deadline) {
    given.hard = said.hard;
    given.deadline = std::move(said.deadline);
  }
  if (given.runtime_socket.empty()) given.runtime_socket = std::move(said.runtime_socket);
  given.agent_pod.merge(std::move(said.agent_pod));  // keeps what is there
}

// With -l there need be no target. Nothing if it is elsewhere, or wrong: others complain about that.
std::optional<ClusterTarget> InCluster(const MountArguments& given, const Invoker& invoker) {
  if (!given.cluster.selector.empty()) return ClusterTarget();
  const auto target = ParseTarget(given.target, invoker.working_directory);
  if (!target.ok() || target->kind != TargetKind::kCluster) return std::nullopt;
  return target->cluster;
}

}  // namespace

MountArguments ServiceArguments(const ExecSettings& settings, bool verbose) {
  const auto given = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string>(text);
  };
  const AgentSettings& agent = settings.agent;
  MountArguments arguments;
  arguments.target = settings.target.value;
  arguments.cluster = ClusterFlagsOf(settings);
  arguments.verbose = verbose;
  arguments.hard = agent.hard.value;
  arguments.identity = given(agent.identity.value);
  arguments.deadline = given(agent.deadline.value);
  arguments.runtime_socket = agent.runtime_socket.value;
  arguments.tls_ca = agent.tls_ca.value;
  arguments.tls_certificate = agent.tls_certificate.value;
  arguments.tls_key = agent.tls_key.value;
  arguments.token_file = agent.token_file.value;
  arguments.follow = agent.follow.value && CountsForCluster(agent.follow, settings);
  arguments.agent_mode = agent.mode.value;
  arguments.progress = agent.progress.value;
  arguments.agent_pod =
      PodWordsOf(agent, [&settings](const SourcedList& setting) { return CountsForCluster(setting, settings); });
  arguments.agent_path = agent.agent_path.value;
  arguments.daemon_path = agent.daemon_path.value;
  return arguments;
}

absl::StatusOr<MountArguments> WithSettings(MountArguments given, const Environment& environment,
                                            const Invoker& invoker) {
  const std::optional<ClusterTarget> target = InCluster(given, invoker);
  if (!target) return given;
  ASSIGN_OR_RETURN(LoadedSettings loaded, LoadClusterSettings(environment, invoker.working_directory));
  for (const std::string& warning : loaded.warnings) fmt::print(stderr, "{}: {}\n", OwnName(), warning);
  loaded.settings.target = {};  // what exec would use
  loaded.settings.container = {};
  loaded.settings.selector = {};
  MountArguments said = ServiceArguments(loaded.settings, /*verbose=*/false);
  if (said.follow && target->workload.kind != "node") given.follow = true;
  FillAccess(target->access, said.cluster, given.cluster);
  FillService(std::move(said), given);
  return given;
}

}  // namespace mirrorfs
