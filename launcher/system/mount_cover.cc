#include "launcher/system/mount_cover.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/system/mount_table.h"

namespace mirrorfs {
namespace {

constexpr mode_t kUnwritable = 0555;

absl::Status RestoreMode(const std::string& mountpoint, int64_t mode) {
  const UniqueFd directory(::open(mountpoint.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory && errno == ENOENT) return absl::OkStatus();
  struct stat now;
  if (!directory || ::fstat(directory.get(), &now) != 0) {
    return Failure(ExitCode::kFailed,
                   fmt::format("{}: its mode cannot be restored: {}.", mountpoint, ErrnoText(errno)));
  }
  if ((now.st_mode & 07777) != kUnwritable) return absl::OkStatus();  // someone else has changed it: theirs counts
  if (::fchmod(directory.get(), static_cast<mode_t>(mode)) != 0) {
    return Failure(ExitCode::kFailed,
                   fmt::format("{}: its mode cannot be restored: {}.", mountpoint, ErrnoText(errno)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CoverWithTmpfs(const std::string& mountpoint, MountCover& cover) {
  const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (::mount(kCoverSource, mountpoint.c_str(), "tmpfs", flags, "size=4k,nr_inodes=2,mode=0555") != 0) {
    const ExitCode code = errno == EPERM ? ExitCode::kNotPermitted : ExitCode::kMountPoint;
    return Failure(code, fmt::format("mount point {}: the read-only cover cannot be mounted on it: {}.", mountpoint,
                                     ErrnoText(errno)));
  }
  cover.tmpfs = true;
  return absl::OkStatus();
}

absl::Status CoverWithMode(const UniqueFd& directory, MountCover& cover) {
  struct stat now;
  if (::fstat(directory.get(), &now) != 0 || ::fchmod(directory.get(), kUnwritable) != 0) {
    return Failure(ExitCode::kMountPoint,
                   fmt::format("the mount point cannot be made read-only: {}.", ErrnoText(errno)));
  }
  cover.directory_mode = now.st_mode & 07777;
  return absl::OkStatus();
}

absl::Status Uncover(const std::string& mountpoint, const MountCover& cover) {
  if (cover.tmpfs) {
    const auto row = MountAt(ReadMountTable(), mountpoint);
    // A process may stand in the (empty, read-only) cover: it is detached then, and goes when that process does.
    if (row && row->IsCover() && ::umount2(mountpoint.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
      return Failure(ExitCode::kFailed,
                     fmt::format("{}: the cover cannot be unmounted: {}.", mountpoint, ErrnoText(errno)));
    }
  }
  return cover.directory_mode < 0 ? absl::OkStatus() : RestoreMode(mountpoint, cover.directory_mode);
}

}  // namespace mirrorfs
