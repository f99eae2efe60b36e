// The token that the daemon shows to an agent in a pod: in a file, so that it is in no argument and no environment.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_TOKEN_FILE_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_TOKEN_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace mirrorfs {

// What the file holds; if it is not there, a new token, which it holds from then on (mode 0600). The next tunnel of a
// mount finds it: the daemon has been told it once.
absl::StatusOr<std::string> KeepToken(const std::string& path);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_TOKEN_FILE_H_
