#include "fmt/format.h"
#include "launcher/agentmodes/agent_pod_settings.h"
#include "launcher/failure.h"
#include "launcher/plan/mount_plan.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(WorkloadTarget, kind, name, selector, container)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ClusterAccess, kubectl, kubeconfig, context, name_space, impersonate,
                                   impersonate_groups)

// Found by their names.
void to_json(nlohmann::json& json, const AgentPodSpec& spec) { json = ToJson(spec); }
void from_json(const nlohmann::json& json, AgentPodSpec& spec) { spec = AgentPodSpecOf(json); }

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MountPlan, target, endpoint, workload, followed, cluster, mountpoint, identity,
                                   agent_mode, exec_is_next, agent_pod, read_write, devices, private_layer, layer_name,
                                   layer_directory, nonempty, make_directory, foreground, verbose, progress,
                                   deadline_seconds, mount_options, policy_file, runtime_socket, tls_ca,
                                   tls_certificate, tls_key, token_file, agent_path, daemon_path)

using nlohmann::json;

// CBOR rather than text: paths may hold any bytes, and JSON text would have to be UTF-8.
std::string Serialize(const MountPlan& plan) {
  std::string bytes;
  json::to_cbor(json(plan), bytes);
  return bytes;
}

absl::StatusOr<MountPlan> ParseMountPlan(std::string_view bytes) {
  try {
    return json::from_cbor(bytes).get<MountPlan>();
  } catch (const json::exception& error) {
    return Failure(ExitCode::kFailed, fmt::format("the keeper was given a plan that it cannot read: {}", error.what()));
  }
}

}  // namespace mirrorfs
