// One mount, from connecting to the agent to the last request.
#ifndef MIRRORFS_FUSEFS_DAEMON_DAEMON_H_
#define MIRRORFS_FUSEFS_DAEMON_DAEMON_H_

#include "fusefs/daemon/control.h"
#include "fusefs/daemon/exit_codes.h"
#include "fusefs/daemon/options.h"

namespace mirrorfs {

// Connects, mounts, tries the mount with a first read, says "ready", and serves until it is unmounted or told to stop.
// Does not unmount, unless the first read fails. `options` have their secrets.
DaemonExit RunDaemon(const DaemonOptions& options, ControlChannel& control);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_DAEMON_H_
