#include <errno.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "tests/conformance/box.h"

namespace mirrorfs::conformance {
namespace {

// Times outside of these years were set by a case, and are compared exactly.
constexpr time_t kYear2020 = 1577836800;
constexpr time_t kYear2200 = 7258118400;

char TypeLetter(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return '-';
    case S_IFDIR:
      return 'd';
    case S_IFLNK:
      return 'l';
    case S_IFCHR:
      return 'c';
    case S_IFBLK:
      return 'b';
    case S_IFIFO:
      return 'p';
    case S_IFSOCK:
      return 's';
    default:
      return '?';
  }
}

std::string TimeText(const timespec& time) {
  if (time.tv_nsec == UTIME_OMIT) return "omit";
  if (time.tv_nsec == UTIME_NOW) return "now";
  return fmt::format("{}.{:09}", time.tv_sec, time.tv_nsec);
}

bool IsExplicit(const timespec& time) { return time.tv_sec < kYear2020 || time.tv_sec >= kYear2200; }

int Compare(const timespec& a, const timespec& b) {
  if (a.tv_sec != b.tv_sec) return a.tv_sec < b.tv_sec ? -1 : 1;
  return a.tv_nsec == b.tv_nsec ? 0 : a.tv_nsec < b.tv_nsec ? -1 : 1;
}

timespec CoarseNow() {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now;
}

std::string Change(std::string_view name, const timespec& before, const timespec& after) {
  const int order = Compare(before, after);
  return fmt::format("{} {}", name, order == 0 ? "kept" : order < 0 ? "later" : "EARLIER");
}

}  // namespace

std::string Octal(mode_t mode) { return fmt::format("{:04o}", mode & 07777); }

std::string Box::Describe(const struct stat& attributes) const {
  std::string text = fmt::format("{} {} {}:{}", TypeLetter(attributes.st_mode), Octal(attributes.st_mode),
                                 attributes.st_uid, attributes.st_gid);
  if (!merged_ || !S_ISDIR(attributes.st_mode)) text += fmt::format(" links {}", attributes.st_nlink);
  if (S_ISREG(attributes.st_mode) || S_ISLNK(attributes.st_mode) || S_ISDIR(attributes.st_mode)) {
    text += fmt::format(" size {}", attributes.st_size);
  }
  if (S_ISCHR(attributes.st_mode) || S_ISBLK(attributes.st_mode)) {
    text += fmt::format(" device {}:{}", major(attributes.st_rdev), minor(attributes.st_rdev));
  }
  if (IsExplicit(attributes.st_mtim)) text += " mtime " + TimeText(attributes.st_mtim);
  return text;
}

void Box::Show(const std::string& path) {
  struct stat attributes;
  const int result = ::lstat(path.c_str(), &attributes);
  if (result != 0) {
    Report(fmt::format("lstat({})", Quote(path)), result);
  } else {
    Note(fmt::format("lstat({}) = {}", Quote(path), Describe(attributes)));
  }
}

void Box::ShowFollow(const std::string& path) {
  struct stat attributes;
  const int result = ::stat(path.c_str(), &attributes);
  if (result != 0) {
    Report(fmt::format("stat({})", Quote(path)), result);
  } else {
    Note(fmt::format("stat({}) = {}", Quote(path), Describe(attributes)));
  }
}

void Box::ShowFd(int fd) {
  struct stat attributes;
  const int result = ::fstat(fd, &attributes);
  if (result != 0) {
    Report(fmt::format("fstat({})", FdName(fd)), result);
  } else {
    Note(fmt::format("fstat({}) = {}", FdName(fd), Describe(attributes)));
  }
}

void Box::ShowBlocks(const std::string& path) {
  struct stat attributes;
  if (::lstat(path.c_str(), &attributes) != 0) {
    Report(fmt::format("lstat({})", Quote(path)), -1);
  } else {
    Note(
        fmt::format("blocks({}) = {} of 512, block size {}", Quote(path), attributes.st_blocks, attributes.st_blksize));
  }
}

void Box::ShowTimes(const std::string& path) {
  struct stat attributes;
  if (::lstat(path.c_str(), &attributes) != 0) {
    Report(fmt::format("lstat({})", Quote(path)), -1);
  } else {
    const auto shown = [](const timespec& time) { return IsExplicit(time) ? TimeText(time) : "recent"; };
    Note(fmt::format("times({}) = atime {} mtime {}", Quote(path), shown(attributes.st_atim),
                     shown(attributes.st_mtim)));
  }
}

bool Box::SameFile(const std::string& a, const std::string& b) {
  struct stat first;
  struct stat second;
  if (::lstat(a.c_str(), &first) != 0 || ::lstat(b.c_str(), &second) != 0) {
    Note(fmt::format("same({}, {}): cannot tell: {}", Quote(a), Quote(b), ErrnoName(errno)));
    return false;
  }
  return Check(fmt::format("same({}, {})", Quote(a), Quote(b)),
               first.st_ino == second.st_ino && first.st_dev == second.st_dev);
}

int Box::Chmod(const std::string& path, mode_t mode) {
  return Report(fmt::format("chmod({}, {})", Quote(path), Octal(mode)), ::chmod(path.c_str(), mode));
}

int Box::Fchmod(int fd, mode_t mode) {
  return Report(fmt::format("fchmod({}, {})", FdName(fd), Octal(mode)), ::fchmod(fd, mode));
}

int Box::Chown(const std::string& path, uid_t uid, gid_t gid) {
  return Report(fmt::format("chown({}, {}, {})", Quote(path), int(uid), int(gid)), ::chown(path.c_str(), uid, gid));
}

int Box::Lchown(const std::string& path, uid_t uid, gid_t gid) {
  return Report(fmt::format("lchown({}, {}, {})", Quote(path), int(uid), int(gid)), ::lchown(path.c_str(), uid, gid));
}

int Box::Fchown(int fd, uid_t uid, gid_t gid) {
  return Report(fmt::format("fchown({}, {}, {})", FdName(fd), int(uid), int(gid)), ::fchown(fd, uid, gid));
}

int Box::Truncate(const std::string& path, off_t size) {
  return Report(fmt::format("truncate({}, {})", Quote(path), size), ::truncate(path.c_str(), size));
}

int Box::Ftruncate(int fd, off_t size) {
  return Report(fmt::format("ftruncate({}, {})", FdName(fd), size), ::ftruncate(fd, size));
}

int Box::Utimens(const std::string& path, timespec atime, timespec mtime, int flags) {
  const timespec times[2] = {atime, mtime};
  return Report(fmt::format("utimensat({}, {}, {}, {})", Quote(path), TimeText(atime), TimeText(mtime), flags),
                ::utimensat(AT_FDCWD, path.c_str(), times, flags));
}

int Box::Futimens(int fd, timespec atime, timespec mtime) {
  const timespec times[2] = {atime, mtime};
  return Report(fmt::format("futimens({}, {}, {})", FdName(fd), TimeText(atime), TimeText(mtime)),
                ::futimens(fd, times));
}

int Box::Access(const std::string& path, int mode, int flags) {
  std::string asked = mode == F_OK ? "F_OK" : "";
  if (mode & R_OK) asked += "R";
  if (mode & W_OK) asked += "W";
  if (mode & X_OK) asked += "X";
  const std::string suffix = flags & AT_EACCESS ? ", AT_EACCESS" : "";
  return Report(fmt::format("access({}, {}{})", Quote(path), asked, suffix),
                ::faccessat(AT_FDCWD, path.c_str(), mode, flags));
}

Stamp Box::Before(const std::string& path) {
  struct stat attributes {};
  if (::lstat(path.c_str(), &attributes) != 0) Report(fmt::format("lstat({})", Quote(path)), -1);
  // File times come from the coarse clock: beyond its next tick every new time differs.
  const timespec start = CoarseNow();
  for (int ticks = 0; ticks < 2;) {
    const timespec now = CoarseNow();
    if (Compare(start, now) != 0 && Compare(attributes.st_ctim, now) < 0) ++ticks;
  }
  return {attributes.st_mtim, attributes.st_ctim};
}

void Box::After(const std::string& path, const Stamp& before) {
  struct stat attributes;
  if (::lstat(path.c_str(), &attributes) != 0) {
    Report(fmt::format("lstat({})", Quote(path)), -1);
    return;
  }
  Note(fmt::format("moved({}): {}, {}", Quote(path), Change("mtime", before.mtime, attributes.st_mtim),
                   Change("ctime", before.ctime, attributes.st_ctim)));
}

}  // namespace mirrorfs::conformance
