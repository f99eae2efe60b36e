#include "agent/own_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string_view>
#include <vector>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr char kLock[] = "lock";
// All that whoever makes such a directory, and the agent, put there.
constexpr const char* kContents[] = {OwnDirectory::kBinary, "agent.sock", "probe", kLock};
// One without a lock may belong to an agent that is still being copied.
constexpr absl::Duration kCopiedByThen = absl::Minutes(10);

bool IsOurs(const struct stat& found) { return S_ISDIR(found.st_mode) && found.st_uid == geteuid(); }

void Remove(const std::string& path) {
  for (const char* name : kContents) unlink(fmt::format("{}/{}", path, name).c_str());
  unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR);  // not rmdir: it is not among the calls that the agent may make
}

bool IsAbandoned(const std::string& path) {
  struct stat found;
  if (lstat(path.c_str(), &found) != 0 || !IsOurs(found)) return false;
  const UniqueFd lock(open(fmt::format("{}/{}", path, kLock).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!lock) return absl::Now() - absl::FromTimeT(found.st_mtime) > kCopiedByThen;
  return flock(lock.get(), LOCK_EX | LOCK_NB) == 0;
}

std::vector<std::string> NamesIn(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory.get())) names.emplace_back(entry->d_name);
  return names;
}

void RemoveAbandoned(const std::string& parent, std::string_view own_name) {
  for (const std::string& name : NamesIn(parent)) {
    if (!name.starts_with(OwnDirectory::kPrefix) || name == own_name) continue;
    const std::string path = fmt::format("{}/{}", parent, name);
    if (IsAbandoned(path)) Remove(path);
  }
}

}  // namespace

absl::StatusOr<OwnDirectory> OwnDirectory::Take(const std::string& path) {
  const size_t slash = path.rfind('/');
  struct stat found;
  if (path.front() != '/' || !path.substr(slash + 1).starts_with(kPrefix) || lstat(path.c_str(), &found) != 0 ||
      !IsOurs(found)) {
    return absl::InvalidArgumentError(
        fmt::format("--remove-directory {}: not a directory of this user, named {}...", path, kPrefix));
  }
  UniqueFd lock(open(fmt::format("{}/{}", path, kLock).c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return LastErrno(fmt::format("--remove-directory {}", path));
  RemoveAbandoned(path.substr(0, slash), path.substr(slash + 1));
  return OwnDirectory(path, std::move(lock));
}

OwnDirectory::~OwnDirectory() {
  if (lock_) Remove(path_);
}

}  // namespace mirrorfs
