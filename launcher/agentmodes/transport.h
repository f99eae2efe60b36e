// Byte streams into an agent's pod. They are not trusted: TLS runs over them.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_TRANSPORT_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_TRANSPORT_H_

#include <functional>

#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Lives in the thread of its TlsBridge, but for being made and destroyed.
class Transport {
 public:
  // `stalled`: to be called, in the bridge's thread, if nothing comes through that socket though something has to.
  using Stalled = std::function<void()>;
  using Connected = std::function<void(absl::StatusOr<UniqueFd>, Stalled stalled)>;

  virtual ~Transport() = default;

  // Connects to that port of the pod's loopback and hands over a stream socket, in the bridge's thread.
  virtual void Connect(int port, Connected connected) = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_TRANSPORT_H_
