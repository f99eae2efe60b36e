// How long an agent that was started for a mount outlives its client, in whatever way that has gone.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_AGENT_PATIENCE_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_AGENT_PATIENCE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace mirrorfs {

// When a client has vanished its session lives for a while (`lease`), then the agent waits for another one (`idle`),
// then a finished pod is kept (`finished`): all of it together is the time to live.
struct AgentPatience {
  absl::Duration lease;
  absl::Duration idle;
  absl::Duration finished;
};

// `ttl`: AgentPodSpec's. Zero, the pod stays: the agent in it ends nevertheless, as by default.
AgentPatience PatienceOf(absl::Duration ttl);

// As mirrorfs-agent takes it. A first session has more time to come: streams to the agent are made meanwhile.
std::vector<std::string> PatienceArguments(const AgentPatience& patience);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_AGENT_PATIENCE_H_
