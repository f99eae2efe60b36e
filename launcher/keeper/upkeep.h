// What every keeper does for as long as it lives.
#ifndef MIRRORFS_LAUNCHER_KEEPER_UPKEEP_H_
#define MIRRORFS_LAUNCHER_KEEPER_UPKEEP_H_

#include <string>

#include "launcher/keeper/agent_supervisor.h"
#include "launcher/keeper/child_log.h"
#include "launcher/keeper/daemon_runner.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/state/mount_record.h"
#include "spdlog/logger.h"

namespace mirrorfs {

// Writes the record down with the processes that there are now; a failure is logged.
void SaveProcesses(const AgentSupervisor& agent, const DaemonRunner& daemon, const std::string& path,
                   MountRecord& record, spdlog::logger& logger);

// Keeps the log within its bounds from now on. `log` outlives the loop.
void KeepTrimmed(const ChildLog& log, EventLoop& loop);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_UPKEEP_H_
