// What the kernel tells about a process in /proc/PID, read out of its text.
#ifndef MIRRORFS_AGENT_TARGET_PROC_TEXT_H_
#define MIRRORFS_AGENT_TARGET_PROC_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "protos/rootfs/identity.h"

namespace mirrorfs {

// Of /proc/PID/stat.
struct ProcessStat {
  char state = '?';         // R, S, D, Z, ...
  uint64_t start_time = 0;  // clock ticks since boot: with the pid it names a process for good
  bool kernel_thread = false;
};
absl::StatusOr<ProcessStat> ParseProcessStat(std::string_view text);

// Of /proc/PID/status.
struct ProcessStatus {
  Credentials credentials;  // file system ids, groups, effective capabilities
};
absl::StatusOr<ProcessStatus> ParseProcessStatus(std::string_view text);

// The container ids (64 hexadecimal digits) in the text of /proc/PID/cgroup.
std::vector<std::string> ContainerIdsInCgroup(std::string_view text);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_PROC_TEXT_H_
