#include "agent/target/held_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "agent/target/read_all.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::StatusOr<HeldProcess> HeldProcess::Hold(int pid, std::string description) {
  HeldProcess process(pid, std::move(description));
  RETURN_IF_ERROR(process.Open());
  ASSIGN_OR_RETURN(const std::string before_text, process.Read("stat"));
  ASSIGN_OR_RETURN(const ProcessStat before, ParseProcessStat(before_text));
  RETURN_IF_ERROR(process.CheckKind(before));
  // What pidfd_open found and what /proc showed are the same process if the start time stayed and it still lives.
  ASSIGN_OR_RETURN(const std::string after_text, process.Read("stat"));
  ASSIGN_OR_RETURN(const ProcessStat after, ParseProcessStat(after_text));
  if (after.start_time != before.start_time || !process.Alive()) return process.Ended();
  return process;
}

absl::Status HeldProcess::Open() {
  const std::string path = fmt::format("/proc/{}", pid_);
  proc_ = UniqueFd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!proc_) {
    return absl::NotFoundError(
        fmt::format("{}: there is no process {} here; an agent in a container sees the others only in the host's pid "
                    "namespace (docker run --pid=host, hostPID: true)",
                    description_, pid_));
  }
  pidfd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (pidfd_) return absl::OkStatus();
  // The number is a thread's.
  if (errno == EINVAL || errno == ENOENT) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} is a thread, not a process; give the id of its process", description_, pid_));
  }
  if (errno == ESRCH) return Ended();
  return LastErrno(fmt::format("{}: pidfd_open of {}", description_, pid_));
}

absl::Status HeldProcess::CheckKind(const ProcessStat& stat) const {
  if (stat.kernel_thread) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} is a thread of the kernel and has no files of its own", description_, pid_));
  }
  if (stat.state == 'Z' || stat.state == 'X') return Ended();
  return absl::OkStatus();
}

absl::Status HeldProcess::Ended() const {
  return absl::FailedPreconditionError(fmt::format("{}: process {} has ended", description_, pid_));
}

absl::Status HeldProcess::Forbidden(std::string_view file) const {
  const char* advice =
      ::geteuid() == 0 ? "this needs the capability SYS_PTRACE; where the agent has it, SELinux or AppArmor forbids "
                         "it: run the agent as spc_t or Unconfined"
                       : "another user's process needs root or the capability SYS_PTRACE";
  return absl::PermissionDeniedError(
      fmt::format("{}: /proc/{}/{} may not be opened: {}", description_, pid_, file, advice));
}

bool HeldProcess::Alive() const {
  pollfd poll = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&poll, 1, 0);
  } while (ready < 0 && errno == EINTR);
  return ready == 0;
}

absl::StatusOr<UniqueFd> HeldProcess::OpenRoot() const {
  UniqueFd root(::openat(proc_.get(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const int error = errno;
  if (!Alive()) return Ended();
  if (root) return root;
  if (error == EACCES || error == EPERM) return Forbidden("root");
  if (error == ENOENT || error == ESRCH) return Ended();
  return ErrnoStatus(error, fmt::format("{}: /proc/{}/root", description_, pid_));
}

absl::StatusOr<std::string> HeldProcess::Read(const char* name) const {
  UniqueFd file(::openat(proc_.get(), name, O_RDONLY | O_CLOEXEC));
  if (!file && (errno == EACCES || errno == EPERM)) return Forbidden(name);
  if (!file) return Ended();
  auto text = ReadAll(file.get());
  // ESRCH: it ended between open and read.
  if (!text.ok() && ToErrno(text.status()) == ESRCH) return Ended();
  return text;
}

absl::StatusOr<std::string> HeldProcess::ReadLink(const char* name) const {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlinkat(proc_.get(), name, target.data(), target.size());
  if (length < 0 && (errno == EACCES || errno == EPERM)) return Forbidden(name);
  if (length < 0) return Ended();
  target.resize(static_cast<size_t>(length));
  return target;
}

absl::StatusOr<ProcessStatus> HeldProcess::Status() const {
  ASSIGN_OR_RETURN(const std::string text, Read("status"));
  return ParseProcessStatus(text);
}

absl::StatusOr<bool> HeldProcess::SharesUserNamespace() const {
  struct stat theirs = {};
  struct stat ours = {};
  if (::fstatat(proc_.get(), "ns/user", &theirs, 0) != 0) {
    if (errno == EACCES || errno == EPERM) return Forbidden("ns/user");
    return Ended();
  }
  if (::stat("/proc/self/ns/user", &ours) != 0) return LastErrno("/proc/self/ns/user");
  return theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

absl::StatusOr<bool> HeldProcess::BelongsTo(std::string_view container_id) const {
  constexpr size_t kIdLength = 64;
  if (container_id.size() != kIdLength) return false;
  ASSIGN_OR_RETURN(const std::string text, Read("cgroup"));
  const auto ids = ContainerIdsInCgroup(text);
  if (std::find(ids.begin(), ids.end(), container_id) != ids.end()) return true;
  // A container without control groups of its own, on a machine that is itself a container.
  ASSIGN_OR_RETURN(const std::string own_text, ReadAllOf("/proc/self/cgroup"));
  const auto own = ContainerIdsInCgroup(own_text);
  const bool foreign = std::any_of(ids.begin(), ids.end(), [&own](const std::string& id) {
    return std::find(own.begin(), own.end(), id) == own.end();
  });
  if (!foreign) return false;
  return absl::FailedPreconditionError(
      fmt::format("{}: process {} belongs to container {} now; the container has ended, or the agent is not in the "
                  "host's pid namespace",
                  description_, pid_, ids.back().substr(0, 12)));
}

}  // namespace mirrorfs
