#include "launcher/system/unmount.h"

#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/system/child_process.h"
#include "launcher/system/holders.h"
#include "launcher/system/mount_table.h"
#include "launcher/system/programs.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

bool IsMounted(const std::string& mountpoint) {
  const auto row = MountAt(ReadMountTable(), mountpoint);
  return row && row->IsMirrorfs();
}

absl::Status Busy(const std::string& mountpoint) {
  return Failure(ExitCode::kBusy,
                 fmt::format("{} is in use{} End what uses it, or detach it with 'mirrorfs umount --lazy {}'.",
                             mountpoint, DescribeHolders(mountpoint), mountpoint));
}

// fusermount3 tells no errno; it is asked again by what is mounted afterwards.
absl::Status UnmountAsUser(const std::string& mountpoint, UnmountMode mode) {
  const std::string program = FindFusermount();
  if (program.empty()) return Failure(ExitCode::kFailed, "fusermount3 is not installed.");
  std::vector<std::string> command = {"fusermount3", "-u", "-q"};
  if (mode == UnmountMode::kLazy) command.emplace_back("-z");
  command.insert(command.end(), {"--", mountpoint});
  ASSIGN_OR_RETURN(const pid_t pid,
                   StartChild({.program = program, .command = command, .output = -1, .descriptors = {}}));
  Reap(pid);
  if (!IsMounted(mountpoint)) return absl::OkStatus();
  return Busy(mountpoint);
}

absl::Status UnmountAsRoot(const std::string& mountpoint, UnmountMode mode) {
  const int flags = UMOUNT_NOFOLLOW | (mode == UnmountMode::kLazy ? MNT_DETACH : 0);
  if (::umount2(mountpoint.c_str(), flags) == 0) return absl::OkStatus();
  if (errno == EBUSY) return Busy(mountpoint);
  return Failure(ExitCode::kFailed, fmt::format("{} cannot be unmounted: {}.", mountpoint, ErrnoText(errno)));
}

}  // namespace

absl::Status UnmountFuse(const std::string& mountpoint, UnmountMode mode) {
  if (!IsMounted(mountpoint)) return absl::OkStatus();
  return ::geteuid() == 0 ? UnmountAsRoot(mountpoint, mode) : UnmountAsUser(mountpoint, mode);
}

void AbortConnection(const std::string& mountpoint) {
  if (::geteuid() != 0 || !IsMounted(mountpoint)) return;
  // Aborts, and then fails with EBUSY if someone is on it, which is as good here.
  ::umount2(mountpoint.c_str(), MNT_FORCE | UMOUNT_NOFOLLOW);
}

}  // namespace mirrorfs
