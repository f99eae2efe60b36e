// Where a mount's keeper has its sockets, its record and its log: one directory per mount, below
//   root: /run/mirrorfs    others: $XDG_RUNTIME_DIR/mirrorfs, else /tmp/mirrorfs-UID
// Only its owner can enter. Whoever holds the lock in it is in charge of the mount; the keeper does as long as it
// lives.
#ifndef MIRRORFS_LAUNCHER_STATE_STATE_DIRECTORY_H_
#define MIRRORFS_LAUNCHER_STATE_STATE_DIRECTORY_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/plan/invoker.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

struct StatePaths {
  std::string base;  // of all mounts of this user
  std::string directory;
  std::string lock;
  std::string record;
  std::string control_socket;
  std::string agent_socket;
  std::string log;
  // Of runs only:
  std::string view;      // directory on which the view is mounted until it is the program's root
  std::string policy;    // which path lives where, for the daemon
  std::string shell_rc;  // start file of an interactive shell
};

// The directory of all mounts of this user. LockState makes it, RemoveState removes it after the last one.
std::string StateBasePath(const Invoker& invoker);

// Paths of the mount with that id.
StatePaths PathsOfId(const std::string& base, std::string_view id);
// Of the mount at `mountpoint` (physical) in this process's mount namespace.
StatePaths PathsOfMountpoint(const std::string& base, std::string_view mountpoint);

// Names this process's mount namespace, or that of another one; empty if there is no such process, or none that may be
// asked.
std::string CurrentMountNamespace();
std::string MountNamespaceOf(pid_t pid);

// Ids of all mounts that have a directory there.
std::vector<std::string> ListIds(const std::string& base);

// Makes the directories and takes the lock; nothing if someone else holds it. Fails if the base belongs to somebody
// else or others can enter it.
absl::StatusOr<std::optional<UniqueFd>> LockState(const StatePaths& paths);

// Removes the directory with all in it. For whoever holds the lock.
void RemoveState(const StatePaths& paths);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_STATE_STATE_DIRECTORY_H_
