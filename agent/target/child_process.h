// A child process that is certain to be gone, reaped, when its owner is.
#ifndef MIRRORFS_AGENT_TARGET_CHILD_PROCESS_H_
#define MIRRORFS_AGENT_TARGET_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

class ChildProcess {
 public:
  // Owns the child; `output` is the end of a pipe to read what it writes.
  ChildProcess(pid_t pid, UniqueFd output) : pid_(pid), output_(std::move(output)) {}
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // Kills it if it still runs.
  ~ChildProcess();

  // What it writes until it closes its end. DEADLINE_EXCEEDED.
  absl::StatusOr<std::string> ReadOutput(absl::Duration limit);
  // As waitpid. Blocks until it has ended.
  absl::StatusOr<int> Wait();

 private:
  pid_t pid_;  // 0: reaped
  UniqueFd output_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_CHILD_PROCESS_H_
