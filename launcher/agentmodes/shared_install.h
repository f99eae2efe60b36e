// The shared agents of a cluster, as their chart has installed them (charts/mirrorfs-agent).
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_SHARED_INSTALL_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_SHARED_INSTALL_H_

#include <string>

#include "absl/status/statusor.h"
#include "launcher/kubernetes/kubectl.h"

namespace mirrorfs {

inline constexpr char kSharedNamespace[] = "mirrorfs";   // if --agent-namespace names no other
inline constexpr char kSharedName[] = "mirrorfs-agent";  // of the chart's objects, and of the Helm release

struct SharedInstall {
  std::string name_space;
  std::string certificate;  // PEM: of all agents; a token is told to nobody else
  int port = 0;             // of an agent's loopback
};

// What the chart has published. `name_space`: of the agents; empty: the usual one. Fails with kUnreachable if they are
// not installed there, with kNotPermitted if this user may not read it.
absl::StatusOr<SharedInstall> FindSharedInstall(const Kubectl& kubectl, const std::string& name_space);

// The name of the pod whose agent serves that node. Fails with kUnreachable if there is none that is ready.
absl::StatusOr<std::string> FindSharedPod(const Kubectl& kubectl, const SharedInstall& install,
                                          const std::string& node);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_SHARED_INSTALL_H_
