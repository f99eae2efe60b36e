// One process, held so that its number cannot come to mean another one.
#ifndef MIRRORFS_AGENT_TARGET_HELD_PROCESS_H_
#define MIRRORFS_AGENT_TARGET_HELD_PROCESS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/target/proc_text.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// A pidfd and /proc/PID, both of the same process. Thread-safe.
class HeldProcess {
 public:
  // `description` is for messages. NOT_FOUND: no such process; INVALID_ARGUMENT: a kernel thread, or a thread of
  // another process; FAILED_PRECONDITION: it has ended already.
  static absl::StatusOr<HeldProcess> Hold(int pid, std::string description);

  int pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  const std::string& description() const { return description_; }
  // As the calling process's user namespace sees it.
  absl::StatusOr<ProcessStatus> Status() const;

  bool Alive() const;
  // PERMISSION_DENIED says which right is missing.
  absl::StatusOr<UniqueFd> OpenRoot() const;
  // A file of /proc/PID.
  absl::StatusOr<std::string> Read(const char* name) const;
  // What a link of /proc/PID shows.
  absl::StatusOr<std::string> ReadLink(const char* name) const;
  // True if both are in the user namespace of the calling process. PERMISSION_DENIED as OpenRoot.
  absl::StatusOr<bool> SharesUserNamespace() const;
  // True if the process is seen in the control group of the container; false if it is in no container's (the group may
  // be hidden, or the runtime not use any). FAILED_PRECONDITION if it is in another container's.
  absl::StatusOr<bool> BelongsTo(std::string_view container_id) const;

 private:
  HeldProcess(int pid, std::string description) : pid_(pid), description_(std::move(description)) {}
  absl::Status Open();
  absl::Status CheckKind(const ProcessStat& stat) const;
  absl::Status Ended() const;
  absl::Status Forbidden(std::string_view file) const;

  int pid_;
  std::string description_;
  UniqueFd pidfd_;
  UniqueFd proc_;  // O_PATH of /proc/PID
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_HELD_PROCESS_H_
