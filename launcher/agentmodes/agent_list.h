// The agents that are in the cluster: jobs by label, ephemeral containers by name.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_AGENT_LIST_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_AGENT_LIST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "launcher/kubernetes/kubectl.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

struct ListedAgent {
  std::string name_space;
  std::string name;  // of the job, or of the container
  std::string mode;  // "job", "ephemeral"
  std::string pod;   // empty: there is none yet, or any more
  std::string container;
  std::string node;
  std::string target;   // "NAMESPACE/POD/CONTAINER"
  std::string state;    // "pending", "running", "finished", "failed", "given up": pending, and no client waits for it
  std::string created;  // RFC 3339; empty: unknown

  // Nobody uses it, nor will.
  bool Ended() const { return state == "finished" || state == "failed" || state == "given up"; }
};

// Reads Lists of Jobs (mirrorfs's own) and of Pods (all of them).
std::vector<ListedAgent> AgentsIn(const nlohmann::json& jobs, const nlohmann::json& pods, absl::Time now);

// In kubectl's namespace, or in all.
absl::StatusOr<std::vector<ListedAgent>> ListAgents(const Kubectl& kubectl, bool all_namespaces);

// Deletes a job; an ephemeral container stays listed in its pod, as Kubernetes cannot remove it.
absl::Status DeleteAgent(const Kubectl& kubectl, const ListedAgent& agent);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_AGENT_LIST_H_
