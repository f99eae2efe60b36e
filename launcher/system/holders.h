// Which processes keep a mount busy, or a mount namespace alive.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_HOLDERS_H_
#define MIRRORFS_LAUNCHER_SYSTEM_HOLDERS_H_

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "launcher/system/process_identity.h"

namespace mirrorfs {

struct Holder {
  pid_t pid = 0;
  std::string name;    // of the program
  std::string reason;  // "its working directory", "open file /mnt/web/etc/passwd", ...

  bool operator==(const Holder&) const = default;
};

// Those that this user may see into. Reads links in /proc only: the mount itself is not touched.
std::vector<Holder> FindHolders(const std::string& mountpoint);

// Whether there may be a process in that mount namespace (as MountNamespaceOf names it), whose first one was `first`:
// one is there, or one of this user's, no older than `first`, cannot be looked into (it has taken on other rights, or
// is of a program that may not be read).
bool MayBeInhabited(std::string_view mount_namespace, const ProcessIdentity& first);

// Whether that process does.
bool IsHeldBy(pid_t pid, const std::string& mountpoint);

// For a message: " by bash (4711: its working directory) and 2 more.", or "." if nobody is found.
std::string DescribeHolders(const std::string& mountpoint);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_HOLDERS_H_
