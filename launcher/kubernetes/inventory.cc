#include "launcher/kubernetes/inventory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/container_choice.h"
#include "launcher/kubernetes/get_json.h"
#include "launcher/kubernetes/json_path.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

// What describes the pods that an object makes; the object itself if it is a pod.
json PodTemplate(const json& object, const WorkloadKind& kind) {
  if (kind.name == "pod") return object;
  if (kind.name == "cronjob") return FieldAt(object, {"spec", "jobTemplate", "spec", "template"});
  return FieldAt(object, {"spec", "template"});
}

std::string Ratio(int64_t part, int64_t all) { return fmt::format("{}/{}", part, all); }

std::string PodReady(const std::vector<PodContainer>& containers) {
  const auto ready = std::count_if(containers.begin(), containers.end(), [](const auto& one) { return one.ready; });
  return Ratio(ready, static_cast<int64_t>(containers.size()));
}

std::string WorkloadReady(const json& object, const WorkloadKind& kind) {
  const json& status = FieldAt(object, {"status"});
  if (kind.name == "daemonset") {
    return Ratio(NumberAt(status, {"numberReady"}), NumberAt(status, {"desiredNumberScheduled"}));
  }
  if (kind.name == "job") {
    return Ratio(NumberAt(status, {"ready"}), std::max<int64_t>(NumberAt(object, {"spec", "parallelism"}), 1));
  }
  const json& replicas = FieldAt(object, {"spec", "replicas"});
  if (!replicas.is_number()) return "-";
  return Ratio(NumberAt(status, {"readyReplicas"}), replicas.get<int64_t>());
}

std::string PodStatus(const Pod& pod) {
  if (pod.being_deleted) return "Terminating";
  for (const PodContainer& container : pod.containers) {
    if (container.role == ContainerRole::kMain && !container.IsRunning() && !container.reason.empty()) {
      return container.reason;
    }
  }
  return pod.reason.empty() ? pod.phase : pod.reason;
}

std::string NodeStatus(const json& node) {
  for (const json& condition : ListAt(node, {"status", "conditions"})) {
    if (TextAt(condition, {"type"}) == "Ready") return TextAt(condition, {"status"}) == "True" ? "Ready" : "NotReady";
  }
  return "Unknown";
}

absl::StatusOr<std::vector<InventoryItem>> List(const Kubectl& kubectl, const InventoryQuery& query,
                                                absl::Span<const WorkloadKind* const> kinds) {
  std::vector<std::string> resources;
  for (const WorkloadKind* kind : kinds) resources.emplace_back(kind->resource);
  std::vector<std::string> words = {absl::StrJoin(resources, ",")};
  if (query.all_namespaces) words.emplace_back("--all-namespaces");
  if (!query.selector.empty()) words.insert(words.end(), {"-l", query.selector});
  ASSIGN_OR_RETURN(const json list, GetJson(kubectl, words));
  std::vector<InventoryItem> items;
  for (const json& object : ListAt(list, {"items"})) {
    std::string word = TextAt(object, {"kind"});
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    if (const WorkloadKind* kind = FindWorkloadKind(word)) items.push_back(ItemFromJson(object, *kind));
  }
  return items;
}

void Append(std::vector<InventoryItem> items, Inventory& inventory) {
  std::move(items.begin(), items.end(), std::back_inserter(inventory.items));
}

}  // namespace

InventoryItem ItemFromJson(const json& object, const WorkloadKind& kind) {
  Pod pod = PodFromJson(PodTemplate(object, kind));
  InventoryItem item{.kind = std::string(kind.name),
                     .name = TextAt(object, {"metadata", "name"}),
                     .name_space = TextAt(object, {"metadata", "namespace"}),
                     .node = TextAt(object, {"spec", "nodeName"}),
                     .created = TextAt(object, {"metadata", "creationTimestamp"})};
  if (const auto choice = ChooseContainer(pod, ""); choice.ok()) item.default_container = choice->container->name;
  for (PodContainer& container : pod.containers) {
    if (container.role == ContainerRole::kMain) item.containers.push_back(std::move(container));
  }
  if (kind.name == "pod") {
    item.ready = PodReady(item.containers);
    item.status = PodStatus(pod);
  } else if (kind.name == "node") {
    item.ready = "-";
    item.node = item.name;
    item.status = NodeStatus(object);
  } else {
    item.ready = WorkloadReady(object, kind);
  }
  return item;
}

// All kinds at once, which is quick; one by one, if some of them are forbidden.
absl::StatusOr<Inventory> TakeInventory(const Kubectl& kubectl, const InventoryQuery& query) {
  Inventory inventory;
  auto all = List(kubectl, query, query.kinds);
  if (all.ok()) {
    Append(*std::move(all), inventory);
    return inventory;
  }
  if (query.kinds.size() == 1 || ExitCodeOf(all.status()) != ExitCode::kNotPermitted) return all.status();
  for (const WorkloadKind* kind : query.kinds) {
    auto items = List(kubectl, query, {&kind, 1});
    if (items.ok()) {
      Append(*std::move(items), inventory);
    } else {
      inventory.not_allowed.push_back(MessageOf(items.status()));
    }
  }
  if (inventory.not_allowed.size() == query.kinds.size()) return all.status();
  return inventory;
}

}  // namespace mirrorfs
