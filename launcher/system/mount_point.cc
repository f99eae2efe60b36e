#include "launcher/system/mount_point.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <string_view>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/system/programs.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

struct CloseDirectory {
  void operator()(DIR* listing) const { ::closedir(listing); }
};
using Listing = std::unique_ptr<DIR, CloseDirectory>;

absl::Status Unusable(std::string_view path, std::string_view why) {
  return Failure(ExitCode::kMountPoint, fmt::format("mount point {}: {}", path, why));
}

absl::Status CannotOpen(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
      return Unusable(path, "it does not exist. Make it first (mkdir), or add --mkdir.");
    case ENOTDIR:
    case ELOOP:
      return Unusable(path, "it is not a directory. Mount on an empty directory.");
    case ENOTCONN:
      return Unusable(path, fmt::format("a FUSE file system whose daemon has died is mounted there. Unmount it: "
                                        "fusermount3 -u {}",
                                        path));
    default:
      return Unusable(path, ErrnoText(error) + ".");
  }
}

absl::StatusOr<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return CannotOpen(path, errno);
  return std::string(real.get());
}

bool IsSymlink(const std::string& path) {
  std::array<char, 1> target;
  return ::readlink(path.c_str(), target.data(), target.size()) >= 0;
}

absl::StatusOr<bool> IsEmpty(const UniqueFd& directory, const std::string& path) {
  UniqueFd again(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again) return CannotOpen(path, errno);
  const Listing listing(::fdopendir(again.get()));
  if (!listing) return CannotOpen(path, errno);
  (void)again.release();  // the listing's now
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return false;
  }
  return true;
}

absl::Status CheckEmpty(const UniqueFd& directory, const MountPointWish& wish) {
  ASSIGN_OR_RETURN(const bool empty, IsEmpty(directory, wish.path));
  if (empty || (wish.nonempty && wish.root)) return absl::OkStatus();
  return Unusable(wish.path, wish.root ? "it is not empty. Choose an empty directory, or add -o nonempty to hide "
                                         "what is in it."
                                       : "it is not empty. Choose an empty directory.");
}

absl::Status CheckOwner(const std::string& path) {
  struct stat attributes;
  if (::lstat(path.c_str(), &attributes) != 0) return CannotOpen(path, errno);
  if (attributes.st_uid == ::geteuid()) return absl::OkStatus();
  return Unusable(path, "it is not yours. An ordinary user mounts on a directory of his own.");
}

absl::Status CheckWritable(const UniqueFd& directory, const MountPointWish& wish) {
  if (::faccessat(directory.get(), ".", W_OK, AT_EACCESS) == 0) return absl::OkStatus();
  return Unusable(wish.path, fmt::format("you cannot write to it ({}). chmod u+w it first.", ErrnoText(errno)));
}

}  // namespace

absl::StatusOr<std::string> PhysicalPath(const std::string& path) {
  if (path == "/") return Unusable(path, "nothing can be mounted over the root directory.");
  const size_t slash = path.rfind('/');
  ASSIGN_OR_RETURN(const std::string parent, RealPath(slash == 0 ? "/" : path.substr(0, slash)));
  const std::string whole = (parent == "/" ? "" : parent) + path.substr(slash);
  if (IsSymlink(whole)) return RealPath(whole);
  return whole;
}

absl::StatusOr<UniqueFd> OpenMountPoint(const MountPointWish& wish) {
  if (wish.make_directory && ::mkdir(wish.path.c_str(), 0755) != 0 && errno != EEXIST) {
    return Unusable(wish.path, fmt::format("it cannot be made: {}.", ErrnoText(errno)));
  }
  UniqueFd directory(::open(wish.path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) {
    const int error = errno;
    if (!wish.root) RETURN_IF_ERROR(CheckOwner(wish.path));
    return CannotOpen(wish.path, error);
  }
  if (!wish.root) {
    RETURN_IF_ERROR(CheckOwner(wish.path));
    RETURN_IF_ERROR(CheckWritable(directory, wish));
  }
  RETURN_IF_ERROR(CheckEmpty(directory, wish));
  return directory;
}

absl::Status CheckAllowOther(bool root) {
  std::ifstream file("/etc/fuse.conf");
  for (std::string line; !root && std::getline(file, line);) {
    if (absl::StripAsciiWhitespace(line) == "user_allow_other") return absl::OkStatus();
  }
  if (root) return absl::OkStatus();
  return Failure(ExitCode::kNotPermitted,
                 "-o allow_other: /etc/fuse.conf does not let ordinary users do that. Your administrator can add the "
                 "line user_allow_other to it.");
}

absl::Status CheckFuse(bool root) {
  const UniqueFd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  const int error = errno;
  if (!device && (error == ENOENT || error == ENODEV || error == ENXIO)) {
    return Failure(ExitCode::kMountPoint,
                   fmt::format("/dev/fuse: {}: this kernel or container has no FUSE. Load it (modprobe fuse), or give "
                               "the container the device.",
                               ErrnoText(error)));
  }
  if (!device) {
    return Failure(ExitCode::kNotPermitted,
                   fmt::format("/dev/fuse cannot be opened: {}. It usually has mode 0666; ask your administrator.",
                               ErrnoText(error)));
  }
  if (!root && FindFusermount().empty()) {
    return Failure(ExitCode::kMountPoint,
                   "fusermount3 is not installed; ordinary users mount through it. Install the package fuse3.");
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
