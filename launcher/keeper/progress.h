// How far an agent that takes its time has come: "scheduled" (to "node-1"), "pulling", "placed" (in a container),
// "started", "attached".
#ifndef MIRRORFS_LAUNCHER_KEEPER_PROGRESS_H_
#define MIRRORFS_LAUNCHER_KEEPER_PROGRESS_H_

#include <string_view>

#include "launcher/plan/mount_plan.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// Which container is meant: "pod/web (ready), container app".
inline constexpr std::string_view kTargetStep = "target";
// The agent mode that is chosen, or another one than was said before: "exec: ...".
inline constexpr std::string_view kModeStep = "mode";

// Says it on stderr: as one line of JSON with --progress json, else for people, and on a terminal only, except for
// these two.
void PrintProgress(ProgressForm form, std::string_view step, std::string_view detail);

// To hand it from the keeper to who waits for it.
nlohmann::json ProgressMessage(std::string_view step, std::string_view detail);
// False if the message is about something else.
bool PrintIfProgress(ProgressForm form, const nlohmann::json& message);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_PROGRESS_H_
