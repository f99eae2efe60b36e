// How the daemon's connections get to an agent that has no socket on this machine.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_CARRIER_H_
#define MIRRORFS_LAUNCHER_TUNNEL_CARRIER_H_

#include "absl/status/status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Not thread-safe: lives in the tunnel's event loop.
class Carrier {
 public:
  virtual ~Carrier() = default;

  // Carries all bytes of a connection (a stream socket, blocking) to the agent and back, from now on and in the
  // background. Breaks the connection at once, both ways, when anything on the way is over: ends and half-closes are
  // not passed on. Does not wait. Fails if it cannot even begin; the connection is closed then.
  virtual absl::Status Carry(UniqueFd connection) = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_CARRIER_H_
