#include "launcher/agentmodes/agent_patience.h"

#include <algorithm>

#include "fmt/format.h"
#include "launcher/agentmodes/agent_pod_spec.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kShortestFirstWait = absl::Seconds(30);

std::string Milliseconds(absl::Duration duration) { return fmt::format("{}ms", absl::ToInt64Milliseconds(duration)); }

}  // namespace

AgentPatience PatienceOf(absl::Duration ttl) {
  const absl::Duration all = ttl == absl::ZeroDuration() ? AgentPodSpec().ttl : ttl;
  return {.lease = std::max(all / 2, absl::Milliseconds(500)), .idle = all / 6, .finished = all / 3};
}

std::vector<std::string> PatienceArguments(const AgentPatience& patience) {
  return {"--ttl",           Milliseconds(patience.idle),
          "--first-session", Milliseconds(std::max(patience.idle, kShortestFirstWait)),
          "--lease",         Milliseconds(patience.lease)};
}

}  // namespace mirrorfs
