#include "launcher/agentmodes/manifests.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fmt/format.h"
#include "launcher/agentmodes/agent_patience.h"

namespace mirrorfs {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kSocketInPod[] = "/run/mirrorfs/runtime.sock";
constexpr int kStopGraceSeconds = 5;

struct Pair {
  std::string_view name;
  std::string_view value;
};
// What the meshes ask a pod to say that is to have no sidecar: as labels and as annotations, each looks at its own.
constexpr std::array kMeshLabels = {Pair{"sidecar.istio.io/inject", "false"},
                                    Pair{"kuma.io/sidecar-injection", "disabled"}};
constexpr std::array kMeshAnnotations = {
    Pair{"sidecar.istio.io/inject", "false"}, Pair{"linkerd.io/inject", "disabled"},
    Pair{"kuma.io/sidecar-injection", "disabled"}, Pair{"consul.hashicorp.com/connect-inject", "false"}};

std::string BareId(const std::string& container_id) {
  const size_t scheme = container_id.find("://");
  return scheme == std::string::npos ? container_id : container_id.substr(scheme + 3);
}

Json MapOf(const std::map<std::string, std::string>& texts) {
  Json map = Json::object();
  for (const auto& [name, value] : texts) map[name] = value;
  return map;
}

Json Labels(const AgentPodSpec& spec, bool of_pod) {
  Json labels = {{"app.kubernetes.io/name", "mirrorfs-agent"},
                 {"app.kubernetes.io/part-of", "mirrorfs"},  // as all that the chart of shared agents makes
                 {kManagedByLabel, kManagedBy}};
  if (of_pod && spec.mesh_opt_out) {
    for (const Pair& pair : kMeshLabels) labels[std::string(pair.name)] = pair.value;
  }
  for (const auto& [name, value] : spec.labels) labels[name] = value;
  labels[kManagedByLabel] = kManagedBy;  // nobody takes it out of sight of `agent clean`
  return labels;
}

Json Annotations(const AgentPodSpec& spec, const AgentPodTask& task, bool of_pod) {
  const PodTarget& target = task.target;
  Json annotations = {{kTargetAnnotation,
                       target.pod.empty() ? "node/" + target.node
                                          : fmt::format("{}/{}/{}", target.name_space, target.pod, target.container)}};
  if (of_pod && spec.mesh_opt_out) {
    for (const Pair& pair : kMeshAnnotations) annotations[std::string(pair.name)] = pair.value;
  }
  for (const auto& [name, value] : spec.annotations) annotations[name] = value;
  return annotations;
}

Json SecurityContext(const AgentPodSpec& spec, const AgentPodTask& task) {
  if (spec.privileged) return {{"privileged", true}, {"runAsUser", 0}, {"readOnlyRootFilesystem", true}};
  return {{"runAsUser", 0},
          {"runAsGroup", 0},
          {"runAsNonRoot", false},
          {"allowPrivilegeEscalation", false},
          {"readOnlyRootFilesystem", true},
          {"capabilities", {{"drop", Json::array({"ALL"})}, {"add", AgentCapabilities(task)}}},
          {"seccompProfile", {{"type", "RuntimeDefault"}}}};
}

bool NeedsRuntimeSocket(const AgentPodSpec& spec, const PodTarget& target) {
  return !spec.pid_from_cgroup && !target.container_id.empty();
}

Json Container(const AgentPodSpec& spec, const AgentPodTask& task, AgentMode mode, std::string name) {
  return {{"name", std::move(name)},
          {"image", spec.image},
          {"imagePullPolicy", spec.pull_policy},
          {"args", AgentArguments(spec, task, mode)},
          {"securityContext", SecurityContext(spec, task)}};
}

Json JobContainer(const AgentPodSpec& spec, const AgentPodTask& task) {
  Json container = Container(spec, task, AgentMode::kJob, kAgentContainer);
  Json resources = Json::object();
  if (!spec.requests.empty()) resources["requests"] = MapOf(spec.requests);
  if (!spec.limits.empty()) resources["limits"] = MapOf(spec.limits);
  if (!resources.empty()) container["resources"] = std::move(resources);
  container["livenessProbe"] = {
      {"exec", {{"command", {"/mirrorfs-agent", "health", fmt::format("127.0.0.1:{}", spec.port)}}}},
      {"periodSeconds", 20},
      {"timeoutSeconds", 10},
      {"failureThreshold", 3}};
  if (NeedsRuntimeSocket(spec, task.target)) {
    container["volumeMounts"] = Json::array({{{"name", "runtime"}, {"mountPath", kSocketInPod}, {"readOnly", true}}});
  }
  return container;
}

Json Tolerations(const AgentPodSpec& spec) {
  if (spec.tolerations.empty()) return Json::array({{{"operator", "Exists"}}});
  Json list = Json::array();
  for (const AgentToleration& toleration : spec.tolerations) {
    Json entry = {{"operator", toleration.value.empty() ? "Exists" : "Equal"}};
    if (!toleration.key.empty()) entry["key"] = toleration.key;
    if (!toleration.value.empty()) entry["value"] = toleration.value;
    if (!toleration.effect.empty()) entry["effect"] = toleration.effect;
    list.push_back(std::move(entry));
  }
  return list;
}

// By affinity rather than nodeName: the scheduler is asked, so that quotas, taints and a full node are said as usual.
Json OnNode(const std::string& node) {
  const Json term = {
      {"matchFields", Json::array({{{"key", "metadata.name"}, {"operator", "In"}, {"values", Json::array({node})}}})}};
  return {{"nodeAffinity",
           {{"requiredDuringSchedulingIgnoredDuringExecution", {{"nodeSelectorTerms", Json::array({term})}}}}}};
}

Json PodSpec(const AgentPodSpec& spec, const AgentPodTask& task) {
  Json pod = {{"restartPolicy", "Never"},
              {"hostPID", true},
              {"automountServiceAccountToken", false},
              {"enableServiceLinks", false},
              {"terminationGracePeriodSeconds", kStopGraceSeconds},
              {"affinity", OnNode(task.target.node)},
              {"tolerations", Tolerations(spec)}};
  if (!spec.service_account.empty()) pod["serviceAccountName"] = spec.service_account;
  if (!spec.priority_class.empty()) pod["priorityClassName"] = spec.priority_class;
  for (const std::string& secret : spec.pull_secrets) pod["imagePullSecrets"].push_back({{"name", secret}});
  pod["containers"] = Json::array({JobContainer(spec, task)});
  if (NeedsRuntimeSocket(spec, task.target)) {
    pod["volumes"] = Json::array(
        {{{"name", "runtime"}, {"hostPath", {{"path", RuntimeSocketOf(spec, task.target)}, {"type", "Socket"}}}}});
  }
  return pod;
}

// What the agent is to find: the container by its id, or in a pid namespace that it shares with it the first process.
std::vector<std::string> TargetArguments(const AgentPodSpec& spec, const AgentPodTask& task, AgentMode mode) {
  const PodTarget& target = task.target;
  if (target.container_id.empty()) return {"--target", "pid/1"};  // a node's own root
  const bool alone = !target.share_process_namespace && !target.host_pid;
  if (mode == AgentMode::kEphemeral && alone) return {"--target", "pid/1"};
  std::vector<std::string> words = {"--target", "cri/" + BareId(target.container_id)};
  if (mode == AgentMode::kEphemeral || spec.pid_from_cgroup) {
    words.insert(words.end(), {"--pid-from", "cgroup"});
  } else {
    words.insert(words.end(), {"--runtime-socket", kSocketInPod});
  }
  return words;
}

}  // namespace

std::vector<std::string> AgentCapabilities(const AgentPodTask& task) {
  std::vector<std::string> names = {"SYS_PTRACE", "DAC_READ_SEARCH", "SETUID", "SETGID"};
  if (task.read_write) names.insert(names.end(), {"DAC_OVERRIDE", "CHOWN", "FOWNER", "FSETID", "SETFCAP"});
  if (task.read_write && task.devices) names.emplace_back("MKNOD");
  return names;
}

std::vector<std::string> AgentArguments(const AgentPodSpec& spec, const AgentPodTask& task, AgentMode mode) {
  std::vector<std::string> words = TargetArguments(spec, task, mode);
  // An ephemeral container shares the target's network: whatever port is free there.
  const int port = mode == AgentMode::kEphemeral ? 0 : spec.port;
  words.insert(words.end(), {"--listen", fmt::format("127.0.0.1:{}", port), "--facts-listen", "127.0.0.1:0",
                             "--own-certificate", "--client-ca-pem", task.client_ca, "--token-sha256",
                             task.token_sha256, "--ready-fd", "1", "--identities", task.identities});
  const std::vector<std::string> patience = PatienceArguments(PatienceOf(spec.ttl));
  words.insert(words.end(), patience.begin(), patience.end());
  if (task.read_write) words.emplace_back("--rw");
  if (task.read_write && task.devices) words.emplace_back("--devices");
  if (task.verbose) words.emplace_back("--verbose");
  return words;
}

std::string RuntimeSocketOf(const AgentPodSpec& spec, const PodTarget& target) {
  if (!spec.runtime_socket.empty()) return spec.runtime_socket;
  if (target.container_id.starts_with("cri-o://")) return "/run/crio/crio.sock";
  if (target.container_id.starts_with("docker://")) return "/run/cri-dockerd.sock";
  return "/run/containerd/containerd.sock";
}

Json JobManifest(const AgentPodSpec& spec, const AgentPodTask& task) {
  Json metadata = {{"name", task.name}};
  metadata["namespace"] = spec.name_space.empty() ? task.target.name_space : spec.name_space;
  metadata["labels"] = Labels(spec, false);
  metadata["annotations"] = Annotations(spec, task, false);
  metadata["annotations"][kStartLimitAnnotation] = std::to_string(absl::ToInt64Seconds(spec.start_limit));
  Json job = {{"backoffLimit", 0}};
  if (spec.ttl != absl::ZeroDuration()) {
    job["ttlSecondsAfterFinished"] = std::max<int64_t>(absl::ToInt64Seconds(PatienceOf(spec.ttl).finished), 1);
  }
  if (spec.active_deadline != absl::ZeroDuration()) {
    job["activeDeadlineSeconds"] = std::max<int64_t>(absl::ToInt64Seconds(spec.active_deadline), 1);
  }
  job["template"] = {{"metadata", {{"labels", Labels(spec, true)}, {"annotations", Annotations(spec, task, true)}}},
                     {"spec", PodSpec(spec, task)}};
  return {{"apiVersion", "batch/v1"}, {"kind", "Job"}, {"metadata", std::move(metadata)}, {"spec", std::move(job)}};
}

Json EphemeralContainer(const AgentPodSpec& spec, const AgentPodTask& task) {
  Json container = Container(spec, task, AgentMode::kEphemeral, task.name);
  container["targetContainerName"] = task.target.container;
  return container;
}

}  // namespace mirrorfs
