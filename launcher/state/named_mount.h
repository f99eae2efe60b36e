// The mount or run that somebody names on a command line.
#ifndef MIRRORFS_LAUNCHER_STATE_NAMED_MOUNT_H_
#define MIRRORFS_LAUNCHER_STATE_NAMED_MOUNT_H_

#include <string>

#include "absl/status/statusor.h"
#include "launcher/plan/invoker.h"
#include "launcher/state/known_mounts.h"

namespace mirrorfs {

// `word`: a mount point, or "exec/PID". Fails with kNotMounted, or if there is no such directory.
absl::StatusOr<KnownMount> FindNamedMount(const std::string& word, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_STATE_NAMED_MOUNT_H_
