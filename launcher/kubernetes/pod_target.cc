#include "launcher/kubernetes/pod_target.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/container_choice.h"
#include "launcher/kubernetes/json_path.h"
#include "launcher/kubernetes/pod_trouble.h"
#include "launcher/kubernetes/workload_pods.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

struct NodeFacts {
  std::string architecture;
  std::string operating_system;
};

bool IsReady(const json& node) {
  for (const json& condition : ListAt(node, {"status", "conditions"})) {
    if (TextAt(condition, {"type"}) == "Ready") return TextAt(condition, {"status"}) == "True";
  }
  return false;
}

absl::StatusOr<NodeFacts> FactsOf(const Kubectl& kubectl, const std::string& name, const json& node) {
  NodeFacts facts{.architecture = TextAt(node, {"status", "nodeInfo", "architecture"}),
                  .operating_system = TextAt(node, {"status", "nodeInfo", "operatingSystem"})};
  if (facts.operating_system == "windows") {
    return Failure(ExitCode::kNoTarget,
                   fmt::format("node/{} runs Windows: only the files of Linux containers can be mounted.", name));
  }
  if (!IsReady(node)) {
    return Failure(ExitCode::kUnreachable, fmt::format("node/{} is not ready: what runs there cannot be reached. See: "
                                                       "{}",
                                                       name, kubectl.Shown("describe node " + name)));
  }
  return facts;
}

// Most users may not look at nodes: then nothing is known, and nothing is said.
absl::StatusOr<NodeFacts> AskNode(const Kubectl& kubectl, const std::string& name) {
  const auto text = kubectl.Run({{"get", "node", name, "-o", "json"}});
  if (!text.ok()) return NodeFacts();
  ASSIGN_OR_RETURN(const json node, ParseKubectlJson(*text, "get node"));
  return FactsOf(kubectl, name, node);
}

absl::StatusOr<PodTarget> ResolveNode(const Kubectl& kubectl, const WorkloadTarget& target) {
  ASSIGN_OR_RETURN(const json node, GetObject(kubectl, *FindWorkloadKind("node"), target.name));
  ASSIGN_OR_RETURN(NodeFacts facts, FactsOf(kubectl, target.name, node));
  return PodTarget{.node = target.name,
                   .architecture = std::move(facts.architecture),
                   .operating_system = std::move(facts.operating_system),
                   .said = fmt::format("node/{} (ready), its own root", target.name)};
}

// The best first: ready, then running at all; the newest among equals, as it is of the version that stays.
void SortByChoice(std::vector<Pod>& pods) {
  const auto rank = [](const Pod& pod) {
    if (pod.being_deleted) return 3;
    if (pod.ready) return 0;
    return pod.AnyRuns() ? 1 : 2;
  };
  std::sort(pods.begin(), pods.end(), [&](const Pod& a, const Pod& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    if (a.created != b.created) return a.created > b.created;
    return a.name < b.name;
  });
}

std::string NameOf(const WorkloadTarget& target) {
  return target.selector.empty() ? target.kind + "/" + target.name : "-l " + target.selector;
}

// "ready, the newest of 2 ready ones, of 3 of deployment/web".
std::string WhichOf(const std::vector<Pod>& pods, const Pod& chosen, const WorkloadTarget& target) {
  const char* readiness = chosen.ready ? "ready" : "not ready";
  if (target.kind == "pod" && target.selector.empty()) return readiness;
  if (pods.size() == 1) return fmt::format("{}, the only one of {}", readiness, NameOf(target));
  const auto ready = std::count_if(pods.begin(), pods.end(), [](const Pod& pod) { return pod.ready; });
  if (ready == 0) return fmt::format("not ready, as all {} of {}", pods.size(), NameOf(target));
  return fmt::format("the newest of {} ready, {} in all, of {}", ready, pods.size(), NameOf(target));
}

std::string Said(const std::vector<Pod>& pods, const Pod& chosen, const ContainerChoice& choice,
                 const WorkloadTarget& target) {
  std::string text =
      fmt::format("pod/{} ({}), container {}", chosen.name, WhichOf(pods, chosen, target), choice.container->name);
  if (!choice.passed_over.empty()) text += fmt::format(" ({} passed over)", absl::StrJoin(choice.passed_over, ", "));
  return text;
}

}  // namespace

absl::StatusOr<PodTarget> ResolvePod(const Kubectl& kubectl, const WorkloadTarget& target) {
  if (target.kind == "node") return ResolveNode(kubectl, target);
  ASSIGN_OR_RETURN(std::vector<Pod> pods, PodsOf(kubectl, target));
  SortByChoice(pods);
  const Pod& pod = pods.front();
  RETURN_IF_ERROR(CheckPod(kubectl, pod));
  ASSIGN_OR_RETURN(const ContainerChoice choice, ChooseContainer(pod, target.container));
  const PodContainer& container = *choice.container;
  RETURN_IF_ERROR(CheckRunning(kubectl, pod, container));
  ASSIGN_OR_RETURN(NodeFacts node, AskNode(kubectl, pod.node));
  return PodTarget{.name_space = pod.name_space,
                   .pod = pod.name,
                   .uid = pod.uid,
                   .container = container.name,
                   .container_id = container.id,
                   .image = container.image,
                   .node = pod.node,
                   .architecture = std::move(node.architecture),
                   .operating_system = std::move(node.operating_system),
                   .restart_count = container.restart_count,
                   .share_process_namespace = pod.share_process_namespace,
                   .host_pid = pod.host_pid,
                   .said = Said(pods, pod, choice, target)};
}

}  // namespace mirrorfs
