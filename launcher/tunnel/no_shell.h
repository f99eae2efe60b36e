// What runtimes say when a container has no shell, and what we say then.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_NO_SHELL_H_
#define MIRRORFS_LAUNCHER_TUNNEL_NO_SHELL_H_

#include <string>

#include "absl/status/status.h"

namespace mirrorfs {

bool SaysNoShell(const std::string& errors);
absl::Status NoShell(const std::string& other_ways);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_NO_SHELL_H_
