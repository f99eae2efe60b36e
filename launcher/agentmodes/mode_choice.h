// Which way of having an agent the cluster allows this user: --agent auto.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_MODE_CHOICE_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_MODE_CHOICE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/agentmodes/agent_pod_spec.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/plan/agent_mode.h"

namespace mirrorfs {

struct ModeChoice {
  AgentMode mode = AgentMode::kJob;
  std::string said;  // which, and why no other one: "exec: job is forbidden (create jobs); ..."
};

// OK if the cluster would let this user have an agent of that mode for the task's target: by `kubectl auth can-i` for
// each right that it needs, then by a dry run on the server, where admission controllers have their say. Makes nothing.
absl::Status MayUseMode(const Kubectl& kubectl, AgentMode mode, const AgentPodSpec& spec, const AgentPodTask& task);

// The first of shared, job, ephemeral, exec that may be used; where shared agents are not installed, or not for this
// user, nothing is said of them. Without an image that somebody has named, a container's is exec:
// whether a node can have the image is known only when it has failed. Fails with kNotPermitted and all the reasons.
absl::StatusOr<ModeChoice> ChooseMode(const Kubectl& kubectl, const AgentPodSpec& spec, const AgentPodTask& task);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_MODE_CHOICE_H_
