// The mounts of this user, as their records and keepers tell.
#ifndef MIRRORFS_LAUNCHER_STATE_KNOWN_MOUNTS_H_
#define MIRRORFS_LAUNCHER_STATE_KNOWN_MOUNTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/state/mount_record.h"
#include "launcher/state/state_directory.h"

namespace mirrorfs {

enum class MountState : uint8_t {
  kHealthy,
  kStarting,
  kAgentRestarting,
  kTargetGone,
  kFollowing,    // likewise, and what takes its place is looked for
  kDaemonDead,   // ENOTCONN, until it is unmounted
  kKeeperDead,   // served, but nobody restarts the agent any more
  kKeeperHangs,  // it lives, and does not answer
  kDead,         // keeper and daemon are gone
  kDetached,     // unmounted lazily, still in use
};

const char* ToWord(MountState state);

struct KnownMount {
  StatePaths paths;
  MountRecord record;
  MountState state = MountState::kHealthy;
};

// Records that cannot be read are left out.
std::vector<KnownMount> ListMounts(const std::string& base);

// The one at `mountpoint` (physical).
std::optional<KnownMount> FindMount(const std::string& base, const std::string& mountpoint);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_STATE_KNOWN_MOUNTS_H_
