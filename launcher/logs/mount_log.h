// The log of one mount or run: the file that its programs write to, and that of its agent's pod if it has one.
#ifndef MIRRORFS_LAUNCHER_LOGS_MOUNT_LOG_H_
#define MIRRORFS_LAUNCHER_LOGS_MOUNT_LOG_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "launcher/logs/log_line.h"
#include "launcher/state/mount_record.h"
#include "launcher/state/state_directory.h"
#include "launcher/tunnel/conversation.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Not thread-safe.
class MountLog {
 public:
  // Nothing if there is no such mount (any more), or it has no record or log yet.
  static std::unique_ptr<MountLog> Open(const StatePaths& paths);

  // What has been written since the last call, all at the first; only what is not older than `since`. `follow`: the log
  // of a pod is read as it is written, else at once. Gives why that log cannot be read, once, to `trouble`.
  std::vector<LogLine> Read(absl::Time since, bool follow, std::string& trouble);

  const std::string& name() const { return record_.mountpoint; }
  const std::string& directory() const { return paths_.directory; }
  // The mount is gone: nothing more will come.
  bool Ended() const;

 private:
  MountLog(StatePaths paths, MountRecord record, UniqueFd file);
  void ReadFile(std::vector<LogLine>& lines);
  void ReadPod(absl::Time since, bool follow, std::vector<LogLine>& lines, std::string& trouble);
  absl::Status StartPod(absl::Time since, bool follow);

  const StatePaths paths_;
  MountRecord record_;
  UniqueFd file_;
  uint64_t position_ = 0;
  std::string partial_;  // the begin of a line
  FileLines file_lines_;
  std::string pod_;  // whose log is read, or could not be
  std::optional<Conversation> pod_log_;
  PodLines pod_lines_;
  bool pod_tells_ = false;  // what the agent says is in its pod's log; copies of it in the file do not count
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_LOGS_MOUNT_LOG_H_
