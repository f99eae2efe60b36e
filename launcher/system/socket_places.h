// Where programs of this machine listen on sockets that others know by name.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_SOCKET_PLACES_H_
#define MIRRORFS_LAUNCHER_SYSTEM_SOCKET_PLACES_H_

#include <string>
#include <vector>

#include "launcher/config/environment.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// Directories and sockets in /run, $XDG_RUNTIME_DIR, the directory of the ssh agent, those of X11, and our own state.
// Physical paths, sorted; only what exists, but for our state, which a run makes.
std::vector<std::string> FindSocketPlaces(const Environment& environment, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_SOCKET_PLACES_H_
