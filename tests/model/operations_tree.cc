// What is done to names.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "fmt/format.h"
#include "tests/model/side.h"

namespace mirrorfs {
namespace {

// What a time is set to is compared; what the clocks say is not.
std::string SetTimes(const std::string& path, const Operation& operation) {
  const timespec times[2] = {{static_cast<time_t>(operation.seed), static_cast<long>(operation.offset % 1'000'000'000)},
                             {static_cast<time_t>(operation.seed / 2), static_cast<long>(operation.length)}};
  const int result = utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
  if (result != 0) return Result(result);
  struct stat status = {};
  if (lstat(path.c_str(), &status) != 0) return Result(-1);
  return fmt::format("mtime {}.{}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

std::string Stat(const std::string& path) {
  struct stat status = {};
  if (lstat(path.c_str(), &status) != 0) return Result(-1);
  if (S_ISDIR(status.st_mode)) return fmt::format("mode {:o}", status.st_mode);
  return fmt::format("mode {:o} size {} nlink {} uid {}", status.st_mode, status.st_size, status.st_nlink,
                     status.st_uid);
}

std::string Readlink(const std::string& path) {
  char target[4096];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  return size < 0 ? Result(size) : "to " + std::string(target, size);
}

std::string GetXattr(const std::string& path, const std::string& name) {
  char value[4096];
  const ssize_t size = lgetxattr(path.c_str(), name.c_str(), value, sizeof value);
  return size < 0 ? Result(size) : "value " + std::string(value, size);
}

std::string ListXattr(const std::string& path) {
  char list[65536];
  const ssize_t size = llistxattr(path.c_str(), list, sizeof list);
  if (size < 0) return Result(size);
  std::vector<std::string> names;
  for (ssize_t at = 0; at < size; at += strlen(&list[at]) + 1) {
    if (std::string_view(&list[at]).starts_with("user.")) names.emplace_back(&list[at]);
  }
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, " "));
}

}  // namespace

std::string Side::ReadDirectory(const Operation& operation) const {
  const std::string path = Path(operation.path.substr(0, operation.path.rfind('/')));
  DIR* stream = opendir(path.c_str());
  if (stream == nullptr) return Result(-1);
  const absl::Cleanup close = [stream] { closedir(stream); };
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream)) names.push_back(fmt::format("{}:{}", entry->d_name, entry->d_type));
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, " "));
}

std::string Side::DoTree(const Operation& operation) {
  const std::string path = Path(operation.path);
  switch (operation.verb) {
    case Verb::kMkdir:
      return Result(mkdir(path.c_str(), operation.mode | 0700));
    case Verb::kRmdir:
      return Result(rmdir(path.c_str()));
    case Verb::kUnlink:
      return Result(unlink(path.c_str()));
    case Verb::kRename:
      return Result(renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, Path(operation.second).c_str(), operation.flags));
    case Verb::kLink:
      return Result(link(path.c_str(), Path(operation.second).c_str()));
    case Verb::kSymlink:
      return Result(symlink(operation.second.c_str(), path.c_str()));
    case Verb::kReadlink:
      return Readlink(path);
    case Verb::kMknod:
      return Result(mknod(path.c_str(), operation.flags | operation.mode, 0));
    case Verb::kChmod:
      return Result(chmod(path.c_str(), operation.mode | 0700));
    case Verb::kChown:
      return Result(lchown(path.c_str(), operation.seed % 5, operation.seed % 3));
    case Verb::kUtimens:
      return SetTimes(path, operation);
    case Verb::kTruncate:
      return Result(truncate(path.c_str(), operation.offset));
    case Verb::kReadDirectory:
      return ReadDirectory(operation);
    case Verb::kSetXattr: {
      const std::string value = DataOf(operation.seed, operation.length);
      return Result(lsetxattr(path.c_str(), operation.second.c_str(), value.data(), value.size(), operation.flags));
    }
    case Verb::kGetXattr:
      return GetXattr(path, operation.second);
    case Verb::kListXattr:
      return ListXattr(path);
    case Verb::kRemoveXattr:
      return Result(lremovexattr(path.c_str(), operation.second.c_str()));
    default:
      return Stat(path);
  }
}

}  // namespace mirrorfs
