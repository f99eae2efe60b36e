// Where the agent of a mount or run is.
#ifndef MIRRORFS_LAUNCHER_PLAN_AGENT_MODE_H_
#define MIRRORFS_LAUNCHER_PLAN_AGENT_MODE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "launcher/plan/invoker.h"
#include "launcher/plan/target_spec.h"

namespace mirrorfs {

enum class AgentMode : uint8_t {
  kHost,        // on this machine: it enters the container through /proc/PID/root
  kHostOrExec,  // there, and if this user may not do that, in the container
  kExec,        // in the container: put there by docker exec, podman exec, kubectl exec, and has the rights of its user
  kJob,         // in a pod of its own on the target's node, made by a Job
  kEphemeral,   // in an ephemeral container of the target's pod
  kShared,      // on the target's node, installed by its chart for everybody who may run programs there
  kOfCluster,   // kShared, kJob, kEphemeral or kExec: as soon as the target is settled, what the cluster permits
};

// A tunnel leads to it.
bool IsRemote(AgentMode mode);
// It has a pod, or a container in one: who talks to it must know a token.
bool HasPod(AgentMode mode);

// As --agent has it: "job", "ephemeral", "shared", "exec"; "auto" for the others.
const char* ToWord(AgentMode mode);

// `word`: auto (also if empty), job, ephemeral, shared, exec. Fails with kUsage for other words, and for what the
// target cannot have.
absl::StatusOr<AgentMode> ChooseAgentMode(const std::string& word, const TargetSpec& target, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_AGENT_MODE_H_
