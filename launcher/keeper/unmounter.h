// Unmounts in a process of its own: the system call may block on a hung mount, and the keeper must not.
#ifndef MIRRORFS_LAUNCHER_KEEPER_UNMOUNTER_H_
#define MIRRORFS_LAUNCHER_KEEPER_UNMOUNTER_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/system/unmount.h"

namespace mirrorfs {

// Calls `done` from the loop with what UnmountFuse gave.
void UnmountInChild(EventLoop& loop, const std::string& mountpoint, UnmountMode mode,
                    std::function<void(const absl::Status&)> done);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_UNMOUNTER_H_
