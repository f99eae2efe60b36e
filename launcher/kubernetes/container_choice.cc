#include "launcher/kubernetes/container_choice.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/plan/nearest.h"

namespace mirrorfs {
namespace {

constexpr std::array<std::string_view, 29> kSidecars = {
    // service meshes
    "istio-proxy", "linkerd-proxy", "linkerd2-proxy", "envoy", "envoy-sidecar", "consul-dataplane",
    "consul-connect-envoy-sidecar", "kuma-sidecar", "kuma-dp", "osm-envoy", "aws-appmesh-envoy", "daprd", "queue-proxy",
    // proxies and agents
    "cloud-sql-proxy", "cloudsql-proxy", "alloydb-auth-proxy", "vault-agent", "oauth2-proxy", "kube-rbac-proxy",
    "gke-gcsfuse-sidecar", "aws-iam-authenticator", "config-reloader", "tailscale",
    // logs and traces
    "fluent-bit", "filebeat", "otc-container", "jaeger-agent", "xray-daemon", "datadog-agent"};

std::vector<std::string> NamesOf(const Pod& pod, bool all) {
  std::vector<std::string> names;
  for (const PodContainer& container : pod.containers) {
    if (all || container.role == ContainerRole::kMain) names.push_back(container.name);
  }
  return names;
}

absl::Status NoSuchContainer(const Pod& pod, const std::string& named) {
  return Failure(ExitCode::kNoTarget,
                 fmt::format("pod/{} has no container {}{} It has {}.", pod.name, named,
                             DidYouMean(named, NamesOf(pod, true)), absl::StrJoin(NamesOf(pod, false), ", ")));
}

absl::Status Ambiguous(const Pod& pod, const std::vector<const PodContainer*>& candidates) {
  const auto name = [](std::string* out, const PodContainer* container) { out->append(container->name); };
  return Failure(ExitCode::kNoTarget,
                 fmt::format("pod/{} has {} containers: {}. Say which, for example -c {}.", pod.name, candidates.size(),
                             absl::StrJoin(candidates, ", ", name), candidates.front()->name));
}

}  // namespace

bool IsKnownSidecar(std::string_view name) {
  return std::find(kSidecars.begin(), kSidecars.end(), name) != kSidecars.end();
}

absl::StatusOr<ContainerChoice> ChooseContainer(const Pod& pod, const std::string& named) {
  if (!named.empty()) {
    const PodContainer* container = pod.Find(named);
    if (container == nullptr) return NoSuchContainer(pod, named);
    return ContainerChoice{.container = container, .passed_over = {}};
  }
  if (const PodContainer* marked = pod.Find(pod.default_container); marked != nullptr) {
    return ContainerChoice{.container = marked, .passed_over = {}};
  }
  std::vector<const PodContainer*> candidates;
  ContainerChoice choice;
  for (const PodContainer& container : pod.containers) {
    if (container.role != ContainerRole::kMain) continue;
    if (IsKnownSidecar(container.name)) {
      choice.passed_over.push_back(container.name);
    } else {
      candidates.push_back(&container);
    }
  }
  if (candidates.empty()) {  // sidecars among themselves
    for (const std::string& name : choice.passed_over) candidates.push_back(pod.Find(name));
    choice.passed_over.clear();
  }
  if (candidates.empty()) return Failure(ExitCode::kNoTarget, fmt::format("pod/{} has no containers.", pod.name));
  if (candidates.size() > 1) return Ambiguous(pod, candidates);
  choice.container = candidates.front();
  return choice;
}

}  // namespace mirrorfs
