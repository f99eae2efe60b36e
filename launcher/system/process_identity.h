// A process that can be recognised later: its id alone may have been given to another one meanwhile.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_PROCESS_IDENTITY_H_
#define MIRRORFS_LAUNCHER_SYSTEM_PROCESS_IDENTITY_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

struct ProcessIdentity {
  pid_t pid = 0;             // 0: none
  uint64_t start_ticks = 0;  // since boot, field 22 of /proc/PID/stat

  bool operator==(const ProcessIdentity&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProcessIdentity, pid, start_ticks)

// {0, 0} if there is no such process.
ProcessIdentity IdentifyProcess(pid_t pid);

// A pidfd of exactly that process; empty if it is gone (or a zombie).
UniqueFd OpenProcess(const ProcessIdentity& process);

bool IsAlive(const ProcessIdentity& process);

// Waits until it has ended; false if it has not by then.
bool WaitForEnd(const ProcessIdentity& process, absl::Duration limit);

// SIGKILL, and waits for the end.
void KillProcess(const ProcessIdentity& process);

// SIGTERM, and SIGKILL if it has not ended after `grace`. Waits for the end (of a zombie's last thread, not its
// reaping).
void EndProcess(const ProcessIdentity& process, absl::Duration grace);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_PROCESS_IDENTITY_H_
