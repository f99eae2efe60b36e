#include "launcher/config/setting_keys.h"

#include <algorithm>
#include <array>

namespace mirrorfs {
namespace {

template <auto Member>
SettingSlot Slot(ExecSettings& settings) {
  return &(settings.*Member);
}

template <auto Section, auto Member>
SettingSlot Slot(ExecSettings& settings) {
  return &(settings.*Section.*Member);
}

// What the agent's pod is like (agent_pod_settings.h has the same keys, and judges their values). Whoever chooses the
// image has a program of his own run on the node: not a project's file.
template <size_t kSize>
struct PodKeyName {
  // NOLINTNEXTLINE(google-explicit-constructor): "image" is to do
  constexpr PodKeyName(const char (&name)[kSize]) { std::copy_n(name, kSize, text); }
  char text[kSize];
};

template <PodKeyName kName>
SettingSlot PodSlot(ExecSettings& settings) {
  return &settings.agent.pod[kName.text];
}

template <PodKeyName kName>
constexpr SettingKey PodKey(std::string_view description) {
  return {"agent", kName.text, KeyPlace::kOwnFiles, KeyMeaning::kValue, description, PodSlot<kName>};
}

constexpr KeyPlace kFiles = KeyPlace::kAllFiles;
constexpr KeyPlace kOwn = KeyPlace::kOwnFiles;
constexpr KeyPlace kFlags = KeyPlace::kFlagsOnly;
constexpr KeyMeaning kValue = KeyMeaning::kValue;
constexpr KeyMeaning kPath = KeyMeaning::kPath;

constexpr std::array kKeys = {
    SettingKey{"", "target", kFiles, kValue, "whose files: docker/NAME and so on", Slot<&ExecSettings::target>},
    SettingKey{"", "container", kFiles, kValue, "container in the target's pod", Slot<&ExecSettings::container>},
    SettingKey{"", "selector", kFiles, kValue, "labels of the pod, in place of a target's name",
               Slot<&ExecSettings::selector>},
    SettingKey{"", "container_cwd", kFiles, kValue, "start in the target's working directory",
               Slot<&ExecSettings::container_cwd>},
    SettingKey{"fs", "mode", kFiles, kValue, "where paths live that no list decides",
               Slot<&ExecSettings::fs, &FsSettings::mode>},
    SettingKey{"fs", "not_found", kFiles, kValue, "patterns of paths that shall not exist",
               Slot<&ExecSettings::fs, &FsSettings::not_found>},
    SettingKey{"fs", "read_write", kFiles, kValue, "patterns of paths of the container, writes too",
               Slot<&ExecSettings::fs, &FsSettings::read_write>},
    SettingKey{"fs", "read_only", kFiles, kValue, "patterns of paths of the container, writes go to the private layer",
               Slot<&ExecSettings::fs, &FsSettings::read_only>},
    SettingKey{"fs", "local", kFiles, kValue, "patterns of paths of this machine",
               Slot<&ExecSettings::fs, &FsSettings::local>},
    SettingKey{"fs", "mapping", kFiles, kValue, "other paths that are meant, before all lists",
               Slot<&ExecSettings::fs, &FsSettings::mapping>},
    SettingKey{"fs", "auto_mount", kFiles, kValue, "the target's volumes are the container's",
               Slot<&ExecSettings::fs, &FsSettings::auto_mount>},
    SettingKey{"fs", "hide_credentials", kFiles, kValue, "cloud and cluster credentials below home are not found",
               Slot<&ExecSettings::fs, &FsSettings::hide_credentials>},
    SettingKey{"env", "include", kFiles, kValue, "the target's variables to take over, with * and ?",
               Slot<&ExecSettings::env, &EnvSettings::include>},
    SettingKey{"env", "exclude", kFiles, kValue, "but not these", Slot<&ExecSettings::env, &EnvSettings::exclude>},
    SettingKey{"env", "set", kFiles, kValue, "variables to set", Slot<&ExecSettings::env, &EnvSettings::set>},
    SettingKey{"env", "unset", kFiles, kValue, "variables to remove", Slot<&ExecSettings::env, &EnvSettings::unset>},
    SettingKey{"cluster", "namespace", kFiles, kValue, "namespace of the target",
               Slot<&ExecSettings::cluster, &ClusterSettings::name_space>},
    SettingKey{"cluster", "context", kFiles, kValue, "context of the kubeconfig",
               Slot<&ExecSettings::cluster, &ClusterSettings::context>},
    SettingKey{"cluster", "kubeconfig", kOwn, kPath, "file that tells of clusters",
               Slot<&ExecSettings::cluster, &ClusterSettings::kubeconfig>},
    SettingKey{"cluster", "kube_as", kOwn, kValue, "user whom kubectl shall act as",
               Slot<&ExecSettings::cluster, &ClusterSettings::impersonate>},
    SettingKey{"cluster", "kube_as_group", kOwn, kValue, "groups of that user",
               Slot<&ExecSettings::cluster, &ClusterSettings::impersonate_groups>},
    SettingKey{"agent", "mode", kFiles, kValue, "where the agent is: auto, job, ephemeral, shared, exec",
               Slot<&ExecSettings::agent, &AgentSettings::mode>},
    SettingKey{"agent", "as", kFiles, kValue, "whose rights operations have in the container",
               Slot<&ExecSettings::agent, &AgentSettings::identity>},
    SettingKey{"agent", "deadline", kFiles, kValue, "longest wait for a sign of life from the agent",
               Slot<&ExecSettings::agent, &AgentSettings::deadline>},
    SettingKey{"agent", "hard", kFiles, kValue, "wait for ever", Slot<&ExecSettings::agent, &AgentSettings::hard>},
    SettingKey{"agent", "follow", kFiles, kValue, "go on in the pod that takes the target's place",
               Slot<&ExecSettings::agent, &AgentSettings::follow>},
    SettingKey{"agent", "runtime_socket", kOwn, kPath, "socket of the container runtime",
               Slot<&ExecSettings::agent, &AgentSettings::runtime_socket>},
    SettingKey{"agent", "tls_ca", kOwn, kPath, "certificate authority of a grpc:// agent (PEM)",
               Slot<&ExecSettings::agent, &AgentSettings::tls_ca>},
    SettingKey{"agent", "tls_cert", kOwn, kPath, "our certificate for it",
               Slot<&ExecSettings::agent, &AgentSettings::tls_certificate>},
    SettingKey{"agent", "tls_key", kOwn, kPath, "the certificate's key",
               Slot<&ExecSettings::agent, &AgentSettings::tls_key>},
    SettingKey{"agent", "token_file", kOwn, kPath, "file of the token for an agent that wants one",
               Slot<&ExecSettings::agent, &AgentSettings::token_file>},
    PodKey<"image">("image of the agent's pod, best with a digest"),
    PodKey<"pull_policy">("Always, IfNotPresent or Never"),
    PodKey<"pull_secret">("secrets for the image's registry"),
    PodKey<"service_account">("service account of the agent's job"),
    PodKey<"namespace">("namespace of the agent's job"),
    PodKey<"priority_class">("priority class of the agent's pod"),
    PodKey<"request">("resources that it asks for, as cpu=50m"),
    PodKey<"limit">("resources that it may have, as memory=512Mi"),
    PodKey<"label">("its labels, as name=value"),
    PodKey<"annotation">("its annotations, as name=value"),
    PodKey<"toleration">("taints that it tolerates, as KEY[=VALUE][:EFFECT]"),
    PodKey<"ttl">("how long it outlives a client that vanished"),
    PodKey<"active_deadline">("it is ended after so long in any case"),
    PodKey<"start_limit">("how long it may take to start"),
    PodKey<"privileged">("true: a privileged container"),
    PodKey<"keep_mesh">("true: service meshes are not asked to leave it alone"),
    PodKey<"pid_from">("who tells the target's process: runtime or cgroup"),
    PodKey<"port">("port of its pod's loopback"),
    SettingKey{"agent", "program", kFlags, kValue, "program of the agent",
               Slot<&ExecSettings::agent, &AgentSettings::agent_path>},
    SettingKey{"agent", "mirrorfsd", kFlags, kValue, "program of the daemon",
               Slot<&ExecSettings::agent, &AgentSettings::daemon_path>},
};

}  // namespace

std::string SettingKey::FullName() const {
  return section.empty() ? std::string(name) : std::string(section) + "." + std::string(name);
}

absl::Span<const SettingKey> SettingKeys() { return kKeys; }

std::string SourceOf(const SettingSlot& slot) {
  return std::visit([](const auto* setting) { return setting->source; }, slot);
}

}  // namespace mirrorfs
