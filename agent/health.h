// `mirrorfs-agent health HOST:PORT`: for the probes of a pod, in an image that holds nothing but the agent.
#ifndef MIRRORFS_AGENT_HEALTH_H_
#define MIRRORFS_AGENT_HEALTH_H_

#include <string>

#include "absl/status/status.h"

namespace mirrorfs {

// OK if an agent answers there over TLS within some seconds. It is not asked for more: the caller has no certificate.
absl::Status CheckHealth(const std::string& where);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_HEALTH_H_
