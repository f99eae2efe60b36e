// A directory for what a command needs while it runs.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_WORK_PLACE_H_
#define MIRRORFS_LAUNCHER_SYSTEM_WORK_PLACE_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// Only its owner can enter it; it goes with the object, with all in it.
class WorkPlace {
 public:
  // For sockets and logs: in $XDG_RUNTIME_DIR if that can be used, else as ForFiles.
  static absl::StatusOr<WorkPlace> ForSockets(const Invoker& invoker);
  // For files of any size: in $TMPDIR, else /tmp.
  static absl::StatusOr<WorkPlace> ForFiles();

  WorkPlace(WorkPlace&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  WorkPlace& operator=(WorkPlace&&) = delete;
  ~WorkPlace();

  const std::string& path() const { return path_; }

 private:
  explicit WorkPlace(std::string path) : path_(std::move(path)) {}
  static absl::StatusOr<WorkPlace> Make(const std::string& base);

  std::string path_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_WORK_PLACE_H_
