#include "protos/layer/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "absl/cleanup/cleanup.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

int OpenBelow(int directory, const char* path, uint64_t flags) {
  open_how how = {};
  how.flags = flags | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  int fd = -1;
  do {
    fd = static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
  } while (fd < 0 && errno == EAGAIN);  // a rename went on meanwhile
  return fd;
}

absl::StatusOr<std::vector<std::string>> ListNames(int directory) {
  UniqueFd fd(OpenBelow(directory, ".", O_RDONLY | O_DIRECTORY));
  if (!fd) return LastErrno("list");
  DIR* stream = ::fdopendir(fd.get());
  if (stream == nullptr) return LastErrno("list");
  static_cast<void>(fd.release());  // the stream's now
  const absl::Cleanup close = [stream] { ::closedir(stream); };
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return LastErrno("list");
  return names;
}

bool IsEmptyDirectory(int directory) {
  const auto names = ListNames(directory);
  return names.ok() && names->empty();
}

absl::Status RemoveRecursively(int directory, const std::string& name) {
  if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return absl::OkStatus();
  if (errno != EISDIR && errno != EPERM) return LastErrno("remove");
  {
    const UniqueFd below(OpenBelow(directory, name.c_str(), O_RDONLY | O_DIRECTORY));
    if (!below) return LastErrno("remove");
    RETURN_IF_ERROR(EmptyDirectory(below.get()));
  }
  return ErrnoStatus(::unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0 ? 0 : errno, "remove");
}

absl::Status EmptyDirectory(int directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListNames(directory));
  for (const std::string& name : names) RETURN_IF_ERROR(RemoveRecursively(directory, name));
  return absl::OkStatus();
}

}  // namespace mirrorfs
