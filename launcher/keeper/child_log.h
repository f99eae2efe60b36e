// Where agent, daemon and keeper write what they have to say: the mount's log file, or the terminal with -f.
#ifndef MIRRORFS_LAUNCHER_KEEPER_CHILD_LOG_H_
#define MIRRORFS_LAUNCHER_KEEPER_CHILD_LOG_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

class ChildLog {
 public:
  // A file beyond this size is emptied by Trim: a log must not fill /run.
  static constexpr uint64_t kMaxBytes = 4 << 20;

  static absl::StatusOr<ChildLog> ToFile(const std::string& path);
  static absl::StatusOr<ChildLog> ToTerminal();

  int fd() const { return fd_.get(); }
  // Position to hand to TextSince. On a terminal nothing can be read back.
  uint64_t Position() const;
  // What has been written since: whole lines, at most the last few of them.
  std::string TextSince(uint64_t position) const;
  void Trim() const;

 private:
  ChildLog(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::string path_;  // empty: the terminal
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_CHILD_LOG_H_
