#include <dirent.h>
#include <errno.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

#include "tests/conformance/box.h"

namespace mirrorfs::conformance {
namespace {

std::string RenameFlagNames(unsigned flags) {
  std::string names;
  if (flags & RENAME_NOREPLACE) names += ", NOREPLACE";
  if (flags & RENAME_EXCHANGE) names += ", EXCHANGE";
  if (flags & RENAME_WHITEOUT) names += ", WHITEOUT";
  if (flags & ~7u) names += ", unknown";
  return names;
}

const char* TypeName(unsigned char type) {
  switch (type) {
    case DT_REG:
      return "file";
    case DT_DIR:
      return "directory";
    case DT_LNK:
      return "symlink";
    case DT_FIFO:
      return "fifo";
    case DT_SOCK:
      return "socket";
    case DT_CHR:
      return "character";
    case DT_BLK:
      return "block";
    default:
      return "unknown";
  }
}

}  // namespace

int Box::Mkdir(const std::string& path, mode_t mode) {
  return Report(fmt::format("mkdir({}, {})", Quote(path), Octal(mode)), ::mkdir(path.c_str(), mode));
}

int Box::Rmdir(const std::string& path) { return Report(fmt::format("rmdir({})", Quote(path)), ::rmdir(path.c_str())); }

int Box::Unlink(const std::string& path) {
  return Report(fmt::format("unlink({})", Quote(path)), ::unlink(path.c_str()));
}

int Box::Rename(const std::string& from, const std::string& to, unsigned flags) {
  return Report(fmt::format("rename({}, {}{})", Quote(from), Quote(to), RenameFlagNames(flags)),
                ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
}

int Box::Link(const std::string& from, const std::string& to, int flags) {
  const char* follow = flags & AT_SYMLINK_FOLLOW ? ", follow" : "";
  return Report(fmt::format("link({}, {}{})", Quote(from), Quote(to), follow),
                ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
}

int Box::Symlink(const std::string& target, const std::string& path) {
  return Report(fmt::format("symlink({}, {})", Quote(target), Quote(path)), ::symlink(target.c_str(), path.c_str()));
}

std::string Box::Readlink(const std::string& path, size_t size) {
  std::string target(size, '\0');
  const ssize_t length = ::readlink(path.c_str(), target.data(), size);
  if (length < 0) {
    Report(fmt::format("readlink({})", Quote(path)), -1);
    return {};
  }
  target.resize(static_cast<size_t>(length));
  Note(fmt::format("readlink({}) = {}", Quote(path), Summary(target)));
  return target;
}

int Box::Mknod(const std::string& path, mode_t mode, dev_t device) {
  return Report(fmt::format("mknod({}, {:06o}, {}:{})", Quote(path), mode, major(device), minor(device)),
                ::mknod(path.c_str(), mode, device));
}

std::vector<std::string> Box::Names(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) {
    Report(fmt::format("opendir({})", Quote(path)), -1);
    return names;
  }
  while (const dirent* entry = ::readdir(directory)) names.push_back(entry->d_name);
  ::closedir(directory);
  return names;
}

void Box::List(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) {
    Report(fmt::format("opendir({})", Quote(path)), -1);
    return;
  }
  std::vector<std::string> lines;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    lines.push_back(fmt::format("{} {}", Quote(entry->d_name), TypeName(entry->d_type)));
    errno = 0;
  }
  if (errno != 0) Report(fmt::format("readdir({})", Quote(path)), -1);
  ::closedir(directory);
  std::sort(lines.begin(), lines.end());
  if (lines.size() > 40) {
    Note(fmt::format("readdir({}) = {} entries, {}", Quote(path), lines.size(),
                     Summary(fmt::format("{}", fmt::join(lines, ",")))));
  } else {
    Note(fmt::format("readdir({}) = {}", Quote(path), fmt::join(lines, ", ")));
  }
}

int Box::Chdir(const std::string& path) { return Report(fmt::format("chdir({})", Quote(path)), ::chdir(path.c_str())); }

int Box::Statfs(const std::string& path) {
  struct statvfs info;
  const int result = ::statvfs(path.c_str(), &info);
  if (result != 0) return Report(fmt::format("statfs({})", Quote(path)), result);
  Note(fmt::format("statfs({}) = block {} fragment {} blocks {} files {} name {} free {}", Quote(path), info.f_bsize,
                   info.f_frsize, info.f_blocks, info.f_files, info.f_namemax,
                   info.f_bfree <= info.f_blocks && info.f_bavail <= info.f_bfree && info.f_ffree <= info.f_files
                       ? "plausible"
                       : "WRONG"));
  return result;
}

}  // namespace mirrorfs::conformance
