// Work on a private layer instead of a mount: mirrorfsd is the program that speaks to agents.
//   apply   {"event":"change","change":"M","path":...,"result":"applied|already|refused|failed","message":...}
//   fetch   {"event":"fetched","number":N,"path":...,"file":...} for each changed regular file that the container has;
//           {"event":"gone",...} if it has it no more. N counts what ListLayerChanges lists, from 0
#ifndef MIRRORFS_FUSEFS_DAEMON_LAYER_WORK_H_
#define MIRRORFS_FUSEFS_DAEMON_LAYER_WORK_H_

#include "fusefs/daemon/control.h"
#include "fusefs/daemon/exit_codes.h"
#include "fusefs/daemon/options.h"

namespace mirrorfs {

// Does what options.layer_work says and tells the keeper of each path. kOk also if single paths were refused.
DaemonExit RunLayerWork(const DaemonOptions& options, ControlChannel& control);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_LAYER_WORK_H_
