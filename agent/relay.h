// `mirrorfs-agent relay SOCKET` or `127.0.0.1:PORT`: stdin and stdout as one more connection to an agent, for who
// reaches its container by running programs in it only.
#ifndef MIRRORFS_AGENT_RELAY_H_
#define MIRRORFS_AGENT_RELAY_H_

#include <string>

#include "absl/status/status.h"

namespace mirrorfs {

// Connects to the agent's unix socket or port, gives up all rights, and copies both ways, each at its own pace, until
// stdin, stdout or the connection ends; then the process ends (exit code 0), whatever the other way has on its way: a
// connection that is half closed is a broken one. Returns only what has kept it from beginning.
absl::Status RunRelay(const std::string& where);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_RELAY_H_
