#include "agent/target/directory_target.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "agent/target/proc_text.h"
#include "agent/target/read_all.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

absl::Status CannotOpen(const std::string& path, int error) {
  if (error == ENOENT) return absl::NotFoundError(fmt::format("dir:{}: there is no such directory", path));
  if (error == ENOTDIR) return absl::InvalidArgumentError(fmt::format("dir:{} is not a directory", path));
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(
        fmt::format("dir:{} may not be opened: its path must be searchable for the user who runs the agent", path));
  }
  return ErrnoStatus(error, fmt::format("dir:{}", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Target>> DirectoryTarget::Open(const std::string& path) {
  UniqueFd root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return CannotOpen(path, errno);
  ASSIGN_OR_RETURN(const std::string text, ReadAllOf("/proc/self/status"));
  ASSIGN_OR_RETURN(ProcessStatus own, ParseProcessStatus(text));
  return std::unique_ptr<Target>(
      new DirectoryTarget(fmt::format("dir:{}", path), std::move(root), std::move(own.credentials)));
}

absl::StatusOr<UniqueFd> DirectoryTarget::OpenRoot() const {
  UniqueFd copy(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return LastErrno(description_);
  return copy;
}

}  // namespace mirrorfs
