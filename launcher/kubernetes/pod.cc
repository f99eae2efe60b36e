#include "launcher/kubernetes/pod.h"

#include <algorithm>

#include "launcher/kubernetes/json_path.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

const json& StatusOf(const json& statuses, std::string_view name) {
  for (const json& status : statuses) {
    if (TextAt(status, {"name"}) == name) return status;
  }
  return FieldAt(statuses, {});
}

void ReadState(const json& status, PodContainer& container) {
  using State = PodContainer::State;
  const json& state = FieldAt(status, {"state"});
  const json& last = FieldAt(status, {"lastState", "terminated"});
  container.exit_code = static_cast<int>(NumberAt(last, {"exitCode"}));
  if (FieldAt(state, {"running"}).is_object()) {
    container.state = State::kRunning;
  } else if (const json& waiting = FieldAt(state, {"waiting"}); waiting.is_object()) {
    container.state = State::kWaiting;
    container.reason = TextAt(waiting, {"reason"});
    container.message = TextAt(waiting, {"message"});
  } else if (const json& finished = FieldAt(state, {"terminated"}); finished.is_object()) {
    container.state = State::kFinished;
    container.reason = TextAt(finished, {"reason"});
    container.message = TextAt(finished, {"message"});
    container.exit_code = static_cast<int>(NumberAt(finished, {"exitCode"}));
  }
}

void AddContainers(const json& wanted, const json& statuses, ContainerRole role,
                   std::vector<PodContainer>& containers) {
  for (const json& container : wanted) {
    PodContainer made{.name = TextAt(container, {"name"}), .image = TextAt(container, {"image"}), .role = role};
    const json& status = StatusOf(statuses, made.name);
    ReadState(status, made);
    made.ready = FlagAt(status, {"ready"});
    made.id = TextAt(status, {"containerID"});
    made.restart_count = static_cast<int>(NumberAt(status, {"restartCount"}));
    containers.push_back(std::move(made));
  }
}

void ReadConditions(const json& conditions, Pod& pod) {
  for (const json& condition : conditions) {
    const std::string type = TextAt(condition, {"type"});
    const bool holds = TextAt(condition, {"status"}) == "True";
    if (type == "Ready") pod.ready = holds;
    if (type == "PodScheduled" && !holds) pod.scheduling_trouble = TextAt(condition, {"message"});
  }
}

PodOwner OwnerOf(const json& references) {
  for (const json& reference : references) {
    if (FlagAt(reference, {"controller"})) {
      return {TextAt(reference, {"kind"}), TextAt(reference, {"name"}), TextAt(reference, {"uid"})};
    }
  }
  return {};
}

std::string TemplateHash(const json& labels) {
  const std::string hash = TextAt(labels, {"rollouts-pod-template-hash"});
  return hash.empty() ? TextAt(labels, {"pod-template-hash"}) : hash;
}

}  // namespace

const PodContainer* Pod::Find(std::string_view name) const {
  const auto found = std::find_if(containers.begin(), containers.end(),
                                  [name](const PodContainer& container) { return container.name == name; });
  return found == containers.end() ? nullptr : &*found;
}

bool Pod::AnyRuns() const {
  return std::any_of(containers.begin(), containers.end(), [](const PodContainer& container) {
    return container.role == ContainerRole::kMain && container.IsRunning();
  });
}

Pod PodFromJson(const json& object) {
  const json& metadata = FieldAt(object, {"metadata"});
  const json& spec = FieldAt(object, {"spec"});
  const json& status = FieldAt(object, {"status"});
  Pod pod{.name_space = TextAt(metadata, {"namespace"}),
          .name = TextAt(metadata, {"name"}),
          .uid = TextAt(metadata, {"uid"}),
          .node = TextAt(spec, {"nodeName"}),
          .phase = TextAt(status, {"phase"}),
          .created = TextAt(metadata, {"creationTimestamp"}),
          .being_deleted = !TextAt(metadata, {"deletionTimestamp"}).empty(),
          .delete_by = TextAt(metadata, {"deletionTimestamp"}),
          .share_process_namespace = FlagAt(spec, {"shareProcessNamespace"}),
          .host_pid = FlagAt(spec, {"hostPID"}),
          .operating_system = TextAt(spec, {"os", "name"}),
          .default_container = TextAt(metadata, {"annotations", "kubectl.kubernetes.io/default-container"}),
          .reason = TextAt(status, {"reason"}),
          .message = TextAt(status, {"message"}),
          .template_hash = TemplateHash(FieldAt(metadata, {"labels"})),
          .owner = OwnerOf(ListAt(metadata, {"ownerReferences"}))};
  ReadConditions(ListAt(status, {"conditions"}), pod);
  AddContainers(ListAt(spec, {"containers"}), ListAt(status, {"containerStatuses"}), ContainerRole::kMain,
                pod.containers);
  AddContainers(ListAt(spec, {"initContainers"}), ListAt(status, {"initContainerStatuses"}), ContainerRole::kInit,
                pod.containers);
  AddContainers(ListAt(spec, {"ephemeralContainers"}), ListAt(status, {"ephemeralContainerStatuses"}),
                ContainerRole::kEphemeral, pod.containers);
  return pod;
}

std::vector<Pod> PodsFromJson(const json& list) {
  std::vector<Pod> pods;
  for (const json& object : ListAt(list, {"items"})) pods.push_back(PodFromJson(object));
  return pods;
}

}  // namespace mirrorfs
