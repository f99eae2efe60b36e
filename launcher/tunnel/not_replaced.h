// What a tunnel says that is to go on in another container, as long as there is only the one that has ended.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_NOT_REPLACED_H_
#define MIRRORFS_LAUNCHER_TUNNEL_NOT_REPLACED_H_

#include "launcher/failure.h"

namespace mirrorfs {

inline absl::Status NotReplaced() {
  return Failure(ExitCode::kUnreachable, "the container has ended, and nothing has taken its place yet.");
}

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_NOT_REPLACED_H_
