// The objects that are made in the cluster for an agent, as JSON.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_MANIFESTS_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_MANIFESTS_H_

#include <string>
#include <vector>

#include "launcher/agentmodes/agent_pod_spec.h"
#include "launcher/plan/agent_mode.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// By which all that mirrorfs has made is found again.
inline constexpr char kManagedByLabel[] = "app.kubernetes.io/managed-by";
inline constexpr char kManagedBy[] = "mirrorfs";
inline constexpr char kManagedBySelector[] = "app.kubernetes.io/managed-by=mirrorfs";
// Of the container in a job's pod.
inline constexpr char kAgentContainer[] = "agent";
// Annotation that tells what an agent serves: "NAMESPACE/POD/CONTAINER".
inline constexpr char kTargetAnnotation[] = "mirrorfs/target";
// Of the job: after so many seconds its client does not wait for it to start any more.
inline constexpr char kStartLimitAnnotation[] = "mirrorfs/start-limit-seconds";

// The capabilities that the agent's container is given: those that the agent keeps (docs/security.md), and no more.
std::vector<std::string> AgentCapabilities(const AgentPodTask& task);

// The agent's arguments, without its program.
std::vector<std::string> AgentArguments(const AgentPodSpec& spec, const AgentPodTask& task, AgentMode mode);

// A Job whose pod runs on the target's node.
nlohmann::ordered_json JobManifest(const AgentPodSpec& spec, const AgentPodTask& task);

// An entry of the target pod's spec.ephemeralContainers.
nlohmann::ordered_json EphemeralContainer(const AgentPodSpec& spec, const AgentPodTask& task);

// Where the job's agent finds the runtime's socket on its node.
std::string RuntimeSocketOf(const AgentPodSpec& spec, const PodTarget& target);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_MANIFESTS_H_
