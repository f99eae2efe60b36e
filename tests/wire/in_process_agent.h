// An agent's service in this process, for tests: serves a directory on a unix socket in a directory of its own.
#ifndef MIRRORFS_TESTS_WIRE_IN_PROCESS_AGENT_H_
#define MIRRORFS_TESTS_WIRE_IN_PROCESS_AGENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/service/agent_server.h"
#include "fusefs/remote/remote_session.h"

namespace mirrorfs {

struct InProcessAgentOptions {
  std::string directory;  // what is served
  // version and target_name are filled in where they are empty. The rest is as an agent that is started without options
  // beyond --rw and --devices would have it.
  AgentServerOptions server{.read_write = true, .devices = true};
};

class InProcessAgent {
 public:
  virtual ~InProcessAgent() = default;  // stops it

  static absl::StatusOr<std::unique_ptr<InProcessAgent>> Start(InProcessAgentOptions options);

  // unix:/path; stays the same over Restart.
  virtual const std::string& Endpoint() const = 0;
  virtual AgentServer& Server() = 0;
  // Stops it, losing all that it remembers.
  virtual void Stop() = 0;
  // Starts it anew on the same socket.
  virtual absl::Status Restart() = 0;
  // From now on the target counts as dead (or alive again).
  virtual void SetTargetAlive(bool alive) = 0;

  // A session with it; `options.endpoint` is filled in. Default: read-write, identity container.
  absl::StatusOr<std::unique_ptr<RemoteSession>> Connect(RemoteSessionOptions options = {.read_write = true});
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_IN_PROCESS_AGENT_H_
