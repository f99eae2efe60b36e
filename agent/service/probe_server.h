// gRPC's own health service, for the probes of a pod.
#ifndef MIRRORFS_AGENT_SERVICE_PROBE_SERVER_H_
#define MIRRORFS_AGENT_SERVICE_PROBE_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace mirrorfs {

// Thread-safe.
class ProbeServer {
 public:
  virtual ~ProbeServer() = default;

  // Says SERVING or, when `serves` is not so, NOT_SERVING, without TLS, to everybody who asks at ADDRESS:PORT, and has
  // nothing else to say. `serves` is called now and then, from a thread of the server.
  static absl::StatusOr<std::unique_ptr<ProbeServer>> Start(const std::string& where, std::function<bool()> serves);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_PROBE_SERVER_H_
