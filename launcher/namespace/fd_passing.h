// One descriptor from one process to another, through a socket.
#ifndef MIRRORFS_LAUNCHER_NAMESPACE_FD_PASSING_H_
#define MIRRORFS_LAUNCHER_NAMESPACE_FD_PASSING_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

absl::Status SendDescriptor(const UniqueFd& socket, const UniqueFd& descriptor);

// Waits for it. Fails if the peer has closed instead.
absl::StatusOr<UniqueFd> ReceiveDescriptor(const UniqueFd& socket);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_NAMESPACE_FD_PASSING_H_
