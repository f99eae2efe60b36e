// An agent that does not run as a child of this machine's keeper, and the way to it.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_REMOTE_AGENT_H_
#define MIRRORFS_LAUNCHER_TUNNEL_REMOTE_AGENT_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "launcher/tunnel/carrier.h"

namespace mirrorfs {

// Not thread-safe: lives in the tunnel's event loop. Destroyed, it ends the agent and what carries streams to it.
class RemoteAgent {
 public:
  virtual ~RemoteAgent() = default;

  // Names the container for good: another one of that name, and the same one started again, have another text. No
  // spaces at its ends, no newline.
  virtual const std::string& Container() const = 0;
  // What the agent has told of the target's process (see ParseProcessFacts); empty if it was not asked.
  virtual const std::string& Facts() const = 0;
  // "NAMESPACE/POD/CONTAINER" in whose log it writes; empty: it has none of its own.
  virtual std::string Pod() const { return {}; }
  virtual Carrier& Streams() = 0;
  // Calls `lost` once, when the agent has ended or cannot be reached any more.
  virtual void Watch(std::function<void()> lost) = 0;
  // Asked once it is lost: OK if the container is still there, kNoTarget if it has ended or was started anew.
  virtual absl::Status CheckContainer() const = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_REMOTE_AGENT_H_
