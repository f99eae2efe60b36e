// The -o words of mirrorfsd: what the launcher has left of the user's.
#ifndef MIRRORFS_FUSEFS_DAEMON_MOUNT_WORDS_H_
#define MIRRORFS_FUSEFS_DAEMON_MOUNT_WORDS_H_

#include <string_view>

#include "absl/status/status.h"
#include "fusefs/kernel/fuse_session.h"

namespace mirrorfs {

// `words`: separated by commas. One that is not known is an error.
absl::Status ApplyMountWords(std::string_view words, MountOptions& options);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_MOUNT_WORDS_H_
