// The first read through a mount, done by a process of its own: if the mount hangs, only that process does.
#ifndef MIRRORFS_FUSEFS_DAEMON_PROBE_H_
#define MIRRORFS_FUSEFS_DAEMON_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace mirrorfs {

// Starts this program again as `--probe mountpoint` and waits for it, at most `limit`. Another thread serves the mount
// meanwhile. (A thread of the daemon could not be the reader: blocked in the kernel it would hold /dev/fuse open, and
// the daemon could not even die.)
absl::Status ProbeMount(const std::string& mountpoint, absl::Duration limit);

// What that process does: a stat and a listing of the directory. Returns its exit code: 0, or an errno.
int RunProbe(const std::string& directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_PROBE_H_
