#include "fusefs/daemon/probe.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/time/clock.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

struct CloseDirectory {
  void operator()(DIR* listing) const { ::closedir(listing); }
};
using Listing = std::unique_ptr<DIR, CloseDirectory>;

absl::StatusOr<pid_t> StartProbe(std::string mountpoint) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const absl::Cleanup free_actions = [&] { posix_spawn_file_actions_destroy(&actions); };
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  std::string name = "mirrorfsd";
  std::string option = "--probe";
  std::array<char*, 4> argv = {name.data(), option.data(), mountpoint.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  if (error != 0) return ErrnoStatus(error, "starting the probe read");
  return pid;
}

// True if the child has ended by then.
bool WaitForChild(pid_t pid, absl::Duration limit) {
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd entry = {.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  const absl::Time until = absl::Now() + limit;
  while (true) {
    const int64_t left = std::clamp<int64_t>(absl::ToInt64Milliseconds(until - absl::Now()), 0, 1 << 30);
    const int ready = ::poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 && absl::Now() >= until) return false;
  }
}

int ListDirectory(const std::string& directory) {
  const Listing listing(::opendir(directory.c_str()));
  if (!listing) return errno;
  errno = 0;
  return ::readdir(listing.get()) != nullptr ? 0 : errno;
}

}  // namespace

absl::Status ProbeMount(const std::string& mountpoint, absl::Duration limit) {
  ASSIGN_OR_RETURN(const pid_t pid, StartProbe(mountpoint));
  if (!WaitForChild(pid, limit)) {
    ::kill(pid, SIGKILL);  // reaped by whoever inherits it: it may take until the mount is gone
    return ErrnoStatus(ETIMEDOUT, "the first read through the mount");
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status)) return ErrnoStatus(EIO, "the first read through the mount was killed");
  return WEXITSTATUS(status) == 0 ? absl::OkStatus()
                                  : ErrnoStatus(WEXITSTATUS(status), "the first read through the mount");
}

int RunProbe(const std::string& directory) {
  struct stat attributes;
  if (::lstat(directory.c_str(), &attributes) != 0) return errno;
  if (!S_ISDIR(attributes.st_mode)) return ENOTDIR;
  const int error = ListDirectory(directory);
  // Not allowed to list it: an answer, too. The mount works.
  return error == EACCES ? 0 : error;
}

}  // namespace mirrorfs
