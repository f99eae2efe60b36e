#include "launcher/namespace/view_mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/system/mount_table.h"

namespace mirrorfs {
namespace {

constexpr char kDevice[] = "/dev/fuse";
// Both as mirrorfsd agrees on them with the kernel (fusefs/kernel).
constexpr int kMaxRead = 1 << 20;
constexpr char kReadAheadKilobytes[] = "1024";

absl::Status CannotOpenDevice(int error) {
  if (error == ENOENT || error == ENODEV || error == ENXIO) {
    return Failure(ExitCode::kMountPoint,
                   fmt::format("{}: {}: this kernel or container has no FUSE. Load it (modprobe fuse), or give the "
                               "container the device.",
                               kDevice, ErrnoText(error)));
  }
  return Failure(ExitCode::kNotPermitted,
                 fmt::format("{} cannot be opened: {}. It usually has mode 0666; ask your administrator.", kDevice,
                             ErrnoText(error)));
}

void RaiseReadAhead(const UniqueFd& view) {
  struct stat attributes;
  if (::geteuid() != 0 || ::fstat(view.get(), &attributes) != 0) return;
  const auto path =
      fmt::format("/sys/class/bdi/{}:{}/read_ahead_kb", major(attributes.st_dev), minor(attributes.st_dev));
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  // Slower is all that it is without.
  if (file) (void)!::write(file.get(), kReadAheadKilobytes, sizeof(kReadAheadKilobytes) - 1);
}

}  // namespace

absl::Status CheckFuseDevice() {
  const UniqueFd device(::open(kDevice, O_RDWR | O_CLOEXEC));
  return device ? absl::OkStatus() : CannotOpenDevice(errno);
}

absl::StatusOr<UniqueFd> MountView(const ViewMountOptions& options) {
  UniqueFd device(::open(kDevice, O_RDWR | O_CLOEXEC));
  if (!device) return CannotOpenDevice(errno);
  const std::string data =
      fmt::format("fd={},rootmode=40000,user_id={},group_id={},max_read={}{}", device.get(), ::geteuid(), ::getegid(),
                  kMaxRead, options.every_user ? ",allow_other,default_permissions" : "");
  if (::mount(options.source.c_str(), options.directory.c_str(), kFuseType, MS_NOSUID | MS_NODEV, data.c_str()) != 0) {
    return Failure(errno == EPERM || errno == EACCES ? ExitCode::kNotPermitted : ExitCode::kMountPoint,
                   fmt::format("the view cannot be mounted: {}. A security module may forbid FUSE mounts here; the "
                               "kernel's log (dmesg) says so then.",
                               ErrnoText(errno)));
  }
  return device;
}

absl::StatusOr<UniqueFd> OpenView(const std::string& directory) {
  UniqueFd view(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!view) {
    return Failure(ExitCode::kUnreachable, fmt::format("the first access to the view failed: {}.", ErrnoText(errno)));
  }
  RaiseReadAhead(view);
  return view;
}

absl::Status PivotInto(const UniqueFd& view) {
  // With the same directory for both, the old root comes to lie over the new one, and goes when it is detached.
  if (::fchdir(view.get()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", MNT_DETACH) != 0 ||
      ::chdir("/") != 0) {
    return Failure(ExitCode::kFailed,
                   fmt::format("the view cannot become the root directory: {}. exec does not work where / is the "
                               "initial RAM file system, or in a chroot.",
                               ErrnoText(errno)));
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
