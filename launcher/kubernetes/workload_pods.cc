#include "launcher/kubernetes/workload_pods.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/get_json.h"
#include "launcher/kubernetes/json_path.h"
#include "launcher/kubernetes/pod_trouble.h"
#include "launcher/plan/nearest.h"
#include "launcher/split_text.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

// Names of what there is, without "pod/" before them; none if that cannot be told.
std::vector<std::string> NamesOf(const Kubectl& kubectl, std::string_view resource) {
  const auto text = kubectl.Run({{"get", std::string(resource), "-o", "name"}});
  std::vector<std::string> names;
  if (!text.ok()) return names;
  for (const std::string_view line : SplitText(*text, '\n')) {
    names.emplace_back(line.substr(line.find('/') + 1));
  }
  return names;
}

absl::Status NoSuchObject(const Kubectl& kubectl, const WorkloadKind& kind, const std::string& name) {
  RETURN_IF_ERROR(CheckNamespace(kubectl));
  const std::vector<std::string> names = NamesOf(kubectl, kind.resource);
  const std::string where = kind.name == "node" ? "in the cluster" : kubectl.WhereText();
  const auto nearest = Nearest(name, names);
  return Failure(
      ExitCode::kNoTarget,
      fmt::format("there is no {} {} {}{} They are listed by: mirrorfs ls {}{}", kind.name, name, where,
                  nearest ? fmt::format("; did you mean {}/{}?", kind.name, *nearest) : std::string("."), kind.name,
                  kubectl.access().name_space.empty() ? "" : " -n " + kubectl.access().name_space));
}

std::string LabelsText(const json& labels) {
  std::vector<std::string> terms;
  if (!labels.is_object()) return {};
  for (const auto& [key, value] : labels.items()) {
    if (value.is_string()) terms.push_back(key + "=" + value.get<std::string>());
  }
  return absl::StrJoin(terms, ",");
}

std::string ExpressionText(const json& expression) {
  const std::string key = TextAt(expression, {"key"});
  const std::string comparison = TextAt(expression, {"operator"});
  if (comparison == "Exists") return key;
  if (comparison == "DoesNotExist") return "!" + key;
  std::vector<std::string> values;
  for (const json& value : ListAt(expression, {"values"})) {
    if (value.is_string()) values.push_back(value.get<std::string>());
  }
  return fmt::format("{} {} ({})", key, comparison == "NotIn" ? "notin" : "in", absl::StrJoin(values, ","));
}

absl::StatusOr<std::vector<Pod>> PodsWith(const Kubectl& kubectl, const std::string& selector) {
  ASSIGN_OR_RETURN(const json list, GetJson(kubectl, {"pods", "-l", selector}));
  return PodsFromJson(list);
}

// What the controller says about pods that it could not make.
std::string ReplicaTrouble(const Kubectl& kubectl, const json& object) {
  for (const json& condition : ListAt(object, {"status", "conditions"})) {
    if (TextAt(condition, {"type"}) == "ReplicaFailure" || TextAt(condition, {"type"}) == "Failed") {
      return TextAt(condition, {"message"});
    }
  }
  return LastWarning(kubectl, TextAt(object, {"metadata", "uid"}));
}

absl::Status NoPods(const Kubectl& kubectl, const WorkloadKind& kind, const json& object) {
  const std::string name = TextAt(object, {"metadata", "name"});
  const json& replicas = FieldAt(object, {"spec", "replicas"});
  const std::string self = fmt::format("{}/{}", kind.name, name);
  if (replicas == json(0)) {
    return Failure(ExitCode::kNoTarget, fmt::format("{} has no pods: it is scaled to 0. Start one: {}", self,
                                                    kubectl.Shown(fmt::format("scale {} --replicas=1", self))));
  }
  if (kind.name == "cronjob") {
    return Failure(ExitCode::kNoTarget,
                   fmt::format("{} has no pods: none of its jobs is there now (schedule {}). Start one: {}", self,
                               TextAt(object, {"spec", "schedule"}),
                               kubectl.Shown(fmt::format("create job NAME --from={}", self))));
  }
  const std::string why = ReplicaTrouble(kubectl, object);
  return Failure(ExitCode::kNoTarget, fmt::format("{} has no pods{}{} See: {}", self, why.empty() ? "." : ": " + why,
                                                  why.empty() || why.ends_with('.') ? "" : ".",
                                                  kubectl.Shown(fmt::format("describe {} {}", kind.name, name))));
}

absl::StatusOr<std::vector<Pod>> PodsOfService(const Kubectl& kubectl, const json& service) {
  const std::string name = TextAt(service, {"metadata", "name"});
  const std::string selector = LabelsText(FieldAt(service, {"spec", "selector"}));
  if (selector.empty()) {
    return Failure(ExitCode::kNoTarget,
                   fmt::format("service/{} selects no pods: it is of type {} and has no selector. Name a pod or a "
                               "workload.",
                               name, TextAt(service, {"spec", "type"})));
  }
  return PodsWith(kubectl, selector);
}

std::vector<Pod> Controlled(std::vector<Pod> pods, const WorkloadKind& kind, const json& controller) {
  pods.erase(
      std::remove_if(pods.begin(), pods.end(), [&](const Pod& pod) { return !IsControlledBy(pod, kind, controller); }),
      pods.end());
  return pods;
}

absl::StatusOr<std::vector<Pod>> PodsOfCronJob(const Kubectl& kubectl, const json& cronjob) {
  const std::string uid = TextAt(cronjob, {"metadata", "uid"});
  ASSIGN_OR_RETURN(const json jobs, GetJson(kubectl, {"jobs.batch"}));
  std::vector<std::string> names;
  for (const json& job : ListAt(jobs, {"items"})) {
    const json& owners = ListAt(job, {"metadata", "ownerReferences"});
    const bool ours =
        std::any_of(owners.begin(), owners.end(), [&uid](const json& owner) { return TextAt(owner, {"uid"}) == uid; });
    if (ours) names.push_back(TextAt(job, {"metadata", "name"}));
  }
  if (names.empty()) return std::vector<Pod>();
  return PodsWith(kubectl, fmt::format("job-name in ({})", absl::StrJoin(names, ",")));
}

// A Rollout may say that its pods are described by a Deployment.
absl::StatusOr<std::string> SelectorOf(const Kubectl& kubectl, const json& object) {
  const std::string deployment = TextAt(object, {"spec", "workloadRef", "name"});
  if (FieldAt(object, {"spec", "selector"}).is_null() && !deployment.empty()) {
    ASSIGN_OR_RETURN(const json described, GetObject(kubectl, *FindWorkloadKind("deployment"), deployment));
    return SelectorText(FieldAt(described, {"spec", "selector"}));
  }
  return SelectorText(FieldAt(object, {"spec", "selector"}));
}

absl::StatusOr<std::vector<Pod>> PodsOfObject(const Kubectl& kubectl, const WorkloadKind& kind, const json& object) {
  if (kind.name == "pod") return std::vector<Pod>{PodFromJson(object)};
  if (kind.name == "service") return PodsOfService(kubectl, object);
  if (kind.name == "cronjob") return PodsOfCronJob(kubectl, object);
  ASSIGN_OR_RETURN(const std::string selector, SelectorOf(kubectl, object));
  ASSIGN_OR_RETURN(std::vector<Pod> pods, PodsWith(kubectl, selector));
  return Controlled(std::move(pods), kind, object);
}

absl::StatusOr<std::vector<Pod>> SelectedPods(const Kubectl& kubectl, const std::string& selector) {
  ASSIGN_OR_RETURN(std::vector<Pod> pods, PodsWith(kubectl, selector));
  if (!pods.empty()) return pods;
  RETURN_IF_ERROR(CheckNamespace(kubectl));
  return Failure(ExitCode::kNoTarget,
                 fmt::format("no pod {} has labels that fit -l {}. Labels are shown by: {}", kubectl.WhereText(),
                             selector, kubectl.Shown("get pods --show-labels")));
}

}  // namespace

absl::Status CheckNamespace(const Kubectl& kubectl) {
  const std::string& name = kubectl.access().name_space;
  if (name.empty()) return absl::OkStatus();
  const auto found = kubectl.Run({{"get", "namespace", name, "-o", "name", "--ignore-not-found"}});
  if (!found.ok() || !found->empty()) return absl::OkStatus();
  return Failure(ExitCode::kNoTarget,
                 fmt::format("there is no namespace {}{} They are listed by: {}", name,
                             DidYouMean(name, NamesOf(kubectl, "namespaces")),
                             Kubectl({.kubeconfig = kubectl.access().kubeconfig, .context = kubectl.access().context})
                                 .Shown("get namespaces")));
}

std::string SelectorText(const json& selector) {
  std::vector<std::string> terms;
  if (std::string labels = LabelsText(FieldAt(selector, {"matchLabels"})); !labels.empty()) {
    terms.push_back(std::move(labels));
  }
  for (const json& expression : ListAt(selector, {"matchExpressions"})) terms.push_back(ExpressionText(expression));
  return absl::StrJoin(terms, ",");
}

bool IsControlledBy(const Pod& pod, const WorkloadKind& kind, const json& controller) {
  if (kind.name == "deployment" || kind.name == "rollout") {
    return pod.owner.kind == "ReplicaSet" &&
           pod.owner.name == TextAt(controller, {"metadata", "name"}) + "-" + pod.template_hash;
  }
  return pod.owner.uid == TextAt(controller, {"metadata", "uid"});
}

absl::StatusOr<json> GetObject(const Kubectl& kubectl, const WorkloadKind& kind, const std::string& name) {
  const std::string resource(kind.resource);
  auto object = GetJson(kubectl, {resource, name});
  const bool missing = ExitCodeOf(object.status()) == ExitCode::kNoTarget;
  if (!missing) return object;
  if (kind.name == "rollout" && MessageOf(object.status()).find("resource type") != std::string::npos) {
    return Failure(ExitCode::kNoTarget,
                   fmt::format("rollout/{}: {} Rollouts come with Argo Rollouts.", name, MessageOf(object.status())));
  }
  return NoSuchObject(kubectl, kind, name);
}

absl::StatusOr<std::vector<Pod>> PodsOf(const Kubectl& kubectl, const WorkloadTarget& target) {
  if (!target.selector.empty()) return SelectedPods(kubectl, target.selector);
  const WorkloadKind* kind = FindWorkloadKind(target.kind);
  if (kind == nullptr) {
    return Failure(ExitCode::kUsage, fmt::format("'{}' is no kind of object that has pods.", target.kind));
  }
  ASSIGN_OR_RETURN(const json object, GetObject(kubectl, *kind, target.name));
  ASSIGN_OR_RETURN(std::vector<Pod> pods, PodsOfObject(kubectl, *kind, object));
  if (pods.empty()) return NoPods(kubectl, *kind, object);
  return pods;
}

}  // namespace mirrorfs
