#include "launcher/state/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr size_t kLongestLabel = 24;
constexpr size_t kLongestId = kLongestLabel + 1 + 16;
constexpr std::string_view kLongestSocketName = "/control.sock";

// FNV-1a: only to tell mount points apart; a collision would be seen as "already mounted".
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

std::string Label(std::string_view mountpoint) {
  std::string label(mountpoint.substr(mountpoint.rfind('/') + 1));
  std::replace_if(
      label.begin(), label.end(), [](unsigned char c) { return !std::isalnum(c) && c != '-'; }, '_');
  return label.substr(0, kLongestLabel);
}

bool SocketsFit(const std::string& base) {
  return base.size() + 1 + kLongestId + kLongestSocketName.size() < sizeof(sockaddr_un::sun_path);
}

bool BelongsTo(const std::string& path, uint32_t uid) {
  struct stat attributes;
  return ::lstat(path.c_str(), &attributes) == 0 && S_ISDIR(attributes.st_mode) && attributes.st_uid == uid;
}

absl::Status MakeDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return Failure(ExitCode::kFailed, fmt::format("{} cannot be made: {}.", path, ErrnoText(errno)));
}

absl::Status MakePrivate(const std::string& path) {
  const uid_t uid = ::geteuid();
  struct stat attributes;
  while (true) {
    RETURN_IF_ERROR(MakeDirectory(path));
    if (::lstat(path.c_str(), &attributes) == 0) break;
    if (errno == ENOENT) continue;  // the last mount that there was has just taken it with it
    return Failure(ExitCode::kFailed, fmt::format("{}: {}.", path, ErrnoText(errno)));
  }
  if (!S_ISDIR(attributes.st_mode) || attributes.st_uid != uid || (attributes.st_mode & 077) != 0) {
    return Failure(ExitCode::kNotPermitted,
                   fmt::format("{} is not a private directory of yours (owner {}, mode {:o}): someone else may have "
                               "made it. Remove it, or set XDG_RUNTIME_DIR.",
                               path, attributes.st_uid, attributes.st_mode & 07777));
  }
  return absl::OkStatus();
}

bool IsSameFile(const UniqueFd& file, const std::string& path) {
  struct stat open_file;
  struct stat named;
  return ::fstat(file.get(), &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

}  // namespace

std::string StateBasePath(const Invoker& invoker) {
  if (invoker.IsRoot()) return "/run/mirrorfs";
  const std::string own = invoker.runtime_directory + "/mirrorfs";
  const bool usable = invoker.runtime_directory.starts_with('/') && BelongsTo(invoker.runtime_directory, invoker.uid);
  return usable && SocketsFit(own) ? own : fmt::format("/tmp/mirrorfs-{}", invoker.uid);
}

StatePaths PathsOfId(const std::string& base, std::string_view id) {
  const std::string directory = fmt::format("{}/{}", base, id);
  return StatePaths{.base = base,
                    .directory = directory,
                    .lock = directory + "/lock",
                    .record = directory + "/record",
                    .control_socket = directory + "/control.sock",
                    .agent_socket = directory + "/agent.sock",
                    .log = directory + "/log",
                    .view = directory + "/view",
                    .policy = directory + "/policy",
                    .shell_rc = directory + "/shellrc"};
}

StatePaths PathsOfMountpoint(const std::string& base, std::string_view mountpoint) {
  const uint64_t hash = Hash(fmt::format("{}\n{}", CurrentMountNamespace(), mountpoint));
  return PathsOfId(base, fmt::format("{}-{:016x}", Label(mountpoint), hash));
}

std::string CurrentMountNamespace() { return MountNamespaceOf(::getpid()); }

std::string MountNamespaceOf(pid_t pid) {
  std::error_code ignored;
  return std::filesystem::read_symlink(fmt::format("/proc/{}/ns/mnt", pid), ignored).string();
}

std::vector<std::string> ListIds(const std::string& base) {
  std::vector<std::string> ids;
  std::error_code ignored;  // no directory: no mounts
  for (std::filesystem::directory_iterator it(base, ignored), end; !ignored && it != end; it.increment(ignored)) {
    ids.push_back(it->path().filename().string());
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

absl::StatusOr<std::optional<UniqueFd>> LockState(const StatePaths& paths) {
  while (true) {
    RETURN_IF_ERROR(MakePrivate(paths.base));
    if (::mkdir(paths.directory.c_str(), 0700) != 0 && errno != EEXIST) {
      if (errno == ENOENT) continue;  // the last mount that there was has just taken the base with it
      return Failure(ExitCode::kFailed, fmt::format("{} cannot be made: {}.", paths.directory, ErrnoText(errno)));
    }
    UniqueFd lock(::open(paths.lock.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock && errno == ENOENT) continue;  // removed just now by the last holder
    if (!lock) return Failure(ExitCode::kFailed, fmt::format("{}: {}.", paths.lock, ErrnoText(errno)));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::optional<UniqueFd>();
      return Failure(ExitCode::kFailed, fmt::format("{} cannot be locked: {}.", paths.lock, ErrnoText(errno)));
    }
    // The last holder may have removed the file between open and flock.
    if (IsSameFile(lock, paths.lock)) return std::optional<UniqueFd>(std::move(lock));
  }
}

void RemoveState(const StatePaths& paths) {
  std::error_code ignored;  // what cannot be removed is seen by the next mount
  std::filesystem::remove_all(paths.directory, ignored);
  ::rmdir(paths.base.c_str());  // if that was the last mount
}

}  // namespace mirrorfs
