// Copying between the container and this machine instead of a mount.
//   get   --remote-path to --local-path. {"event":"failed_path","path":...,"why":...}, {"event":"skipped",...}
//   likewise,
//         and at the end {"event":"copied","files":N,"bytes":N}
//   put   the other way
//   cat   the content of --remote-path, links followed, goes to --output-fd
//   find  fails unless there is such a --remote-path
// Names are told as text: bytes that are no UTF-8 are replaced.
#ifndef MIRRORFS_FUSEFS_DAEMON_TRANSFER_WORK_H_
#define MIRRORFS_FUSEFS_DAEMON_TRANSFER_WORK_H_

#include "fusefs/daemon/control.h"
#include "fusefs/daemon/exit_codes.h"
#include "fusefs/daemon/options.h"

namespace mirrorfs {

// kOk also if single files failed.
DaemonExit RunTransferWork(const DaemonOptions& options, ControlChannel& control);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_TRANSFER_WORK_H_
