#include "protos/rootfs/proc_fd_directory.h"

#include <fcntl.h>

#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::StatusOr<ProcFdDirectory> ProcFdDirectory::Open() {
  UniqueFd directory(::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return LastErrno("/proc/self/fd (is /proc mounted where the agent runs?)");
  return ProcFdDirectory(std::move(directory));
}

std::string ProcFdDirectory::PathOf(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

int ProcFdDirectory::Reopen(int fd, int flags) const {
  const std::string name = std::to_string(fd);
  return ::openat(directory_.get(), name.c_str(), flags | O_CLOEXEC | O_NOCTTY);
}

}  // namespace mirrorfs
