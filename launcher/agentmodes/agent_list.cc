#include "launcher/agentmodes/agent_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "fmt/format.h"
#include "launcher/agentmodes/manifests.h"
#include "launcher/agentmodes/pod_state.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/get_json.h"
#include "launcher/kubernetes/json_path.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

constexpr std::string_view kNamePrefix = "mirrorfs-agent-";
// Beyond the time for which a client waits: it takes a while to give up, and clocks differ.
constexpr absl::Duration kSlack = absl::Seconds(60);

bool HasField(const json& object, const char* name) { return object.is_object() && object.contains(name); }

std::string JobState(const json& job) {
  const json& conditions = ListAt(job, {"status", "conditions"});
  for (const json& condition : conditions) {
    if (TextAt(condition, {"status"}) != "True") continue;
    if (TextAt(condition, {"type"}) == "Complete") return "finished";
    if (TextAt(condition, {"type"}) == "Failed") return "failed";
  }
  return FieldAt(job, {"status", "ready"}) == json(1) ? "running" : "pending";
}

std::string ContainerState(const json& pod, const std::string& name) {
  for (const json& status : ListAt(pod, {"status", "ephemeralContainerStatuses"})) {
    if (TextAt(status, {"name"}) != name) continue;
    const json& state = FieldAt(status, {"state"});
    if (HasField(state, "running")) return "running";
    if (HasField(state, "terminated"))
      return FieldAt(state, {"terminated", "exitCode"}) == json(0) ? "finished" : "failed";
  }
  return "pending";
}

bool IsGivenUp(const json& job, absl::Time now) {
  int64_t limit = 0;
  absl::Time created;
  return absl::SimpleAtoi(TextAt(job, {"metadata", "annotations", kStartLimitAnnotation}), &limit) &&
         absl::ParseTime(absl::RFC3339_full, TextAt(job, {"metadata", "creationTimestamp"}), &created, nullptr) &&
         now > created + absl::Seconds(limit) + kSlack;
}

ListedAgent OfJob(const json& job, const json& pods, absl::Time now) {
  ListedAgent agent{.name_space = TextAt(job, {"metadata", "namespace"}),
                    .name = TextAt(job, {"metadata", "name"}),
                    .mode = "job",
                    .container = kAgentContainer,
                    .target = TextAt(job, {"metadata", "annotations", kTargetAnnotation}),
                    .state = JobState(job),
                    .created = TextAt(job, {"metadata", "creationTimestamp"})};
  for (const json& pod : ListAt(pods, {"items"})) {
    const bool same = TextAt(pod, {"metadata", "namespace"}) == agent.name_space &&
                      TextAt(pod, {"metadata", "labels", "job-name"}) == agent.name;
    if (!same) continue;
    agent.pod = TextAt(pod, {"metadata", "name"});
    agent.node = TextAt(pod, {"spec", "nodeName"});
    // The job's own count follows a while later.
    const bool runs = JudgePod(pod, kAgentContainer).step == PodStep::kStarted;
    if (runs && agent.state == "pending") agent.state = "running";
  }
  if (agent.state == "pending" && IsGivenUp(job, now)) agent.state = "given up";
  return agent;
}

void AddEphemeral(const json& pod, std::vector<ListedAgent>& agents) {
  for (const json& container : ListAt(pod, {"spec", "ephemeralContainers"})) {
    const std::string name = TextAt(container, {"name"});
    if (!name.starts_with(kNamePrefix)) continue;
    const std::string name_space = TextAt(pod, {"metadata", "namespace"});
    const std::string pod_name = TextAt(pod, {"metadata", "name"});
    agents.push_back(
        {.name_space = name_space,
         .name = name,
         .mode = "ephemeral",
         .pod = pod_name,
         .container = name,
         .node = TextAt(pod, {"spec", "nodeName"}),
         .target = fmt::format("{}/{}/{}", name_space, pod_name, TextAt(container, {"targetContainerName"})),
         .state = ContainerState(pod, name),
         .created = ""});
  }
}

}  // namespace

std::vector<ListedAgent> AgentsIn(const json& jobs, const json& pods, absl::Time now) {
  std::vector<ListedAgent> agents;
  for (const json& job : ListAt(jobs, {"items"})) agents.push_back(OfJob(job, pods, now));
  for (const json& pod : ListAt(pods, {"items"})) AddEphemeral(pod, agents);
  return agents;
}

absl::StatusOr<std::vector<ListedAgent>> ListAgents(const Kubectl& kubectl, bool all_namespaces) {
  const auto get = [&](Words words) {
    if (all_namespaces) words.emplace_back("-A");
    return GetJson(kubectl, words);
  };
  ASSIGN_OR_RETURN(const json jobs, get({"jobs.batch", "-l", kManagedBySelector}));
  ASSIGN_OR_RETURN(const json pods, get({"pods"}));
  return AgentsIn(jobs, pods, absl::Now());
}

absl::Status DeleteAgent(const Kubectl& kubectl, const ListedAgent& agent) {
  return kubectl.In(agent.name_space)
      .Run(Words{"delete", "jobs.batch", agent.name, "--ignore-not-found", "--cascade=foreground"})
      .status();
}

}  // namespace mirrorfs
