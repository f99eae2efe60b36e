#ifndef MIRRORFS_LAUNCHER_AGENTMODES_RECEIVE_EXACTLY_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_RECEIVE_EXACTLY_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace mirrorfs {

// From a blocking stream socket. kUnreachable if it ends before that, or its time limit is over.
absl::StatusOr<std::string> ReceiveExactly(int socket, size_t size);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_RECEIVE_EXACTLY_H_
