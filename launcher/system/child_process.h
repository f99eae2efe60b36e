// Starting programs: nothing is inherited but what is named.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_CHILD_PROCESS_H_
#define MIRRORFS_LAUNCHER_SYSTEM_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

struct ChildOptions {
  std::string program;               // path
  std::vector<std::string> command;  // argv, with argv[0]
  int output = -1;                   // becomes stdout and stderr; -1: /dev/null
  // The child sees these as 3, 4, ...
  std::vector<int> descriptors;
};

// The working directory is /, stdin is empty, no signal is blocked or ignored; it has a session of its own, out of
// reach of the terminal and its signals. The caller reaps it.
absl::StatusOr<pid_t> StartChild(const ChildOptions& options);

// Waits for the end of a child; gives the wait status.
int Reap(pid_t pid);

// First descriptor number that ChildOptions::descriptors get.
inline constexpr int kFirstChildDescriptor = 3;

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_CHILD_PROCESS_H_
