// What the cluster lets this user do.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_RIGHTS_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_RIGHTS_H_

#include <string>

#include "launcher/kubernetes/kubectl.h"

namespace mirrorfs {

struct Right {
  const char* verb;
  const char* resource;  // "pods", "pods/exec", "jobs.batch"
};

// Either is a way to an agent's pod.
inline constexpr Right kForwardRight = {.verb = "create", .resource = "pods/portforward"};
inline constexpr Right kExecRight = {.verb = "create", .resource = "pods/exec"};

// "create pods/exec"
std::string ToText(const Right& right);

// In kubectl's namespace. False also if the cluster does not answer.
bool Can(const Kubectl& kubectl, const Right& right);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_RIGHTS_H_
