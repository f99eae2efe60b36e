// Files of the pod that Kubernetes changes while the agent runs: its token, its certificates.
#ifndef MIRRORFS_AGENT_SHARED_READ_FILE_H_
#define MIRRORFS_AGENT_SHARED_READ_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace mirrorfs {

// What is in it, without white space at the end. UNAVAILABLE if it cannot be read, or is empty.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_READ_FILE_H_
