// What is done to open files.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "fmt/format.h"
#include "tests/model/side.h"

namespace mirrorfs {
namespace {

std::string Content(ssize_t size, const std::string& buffer) {
  if (size < 0) return Result(size);
  return fmt::format("read {} {:x}", size, std::hash<std::string>()(buffer.substr(0, size)));
}

std::string Fstat(int fd) {
  struct stat status = {};
  if (fstat(fd, &status) != 0) return Result(-1);
  return fmt::format("mode {:o} size {} nlink {}", status.st_mode, status.st_size, status.st_nlink);
}

std::string Futimens(int fd, const Operation& operation) {
  const timespec times[2] = {{0, UTIME_OMIT},
                             {static_cast<time_t>(operation.seed), static_cast<long>(operation.length % 1'000'000)}};
  if (futimens(fd, times) != 0) return Result(-1);
  struct stat status = {};
  if (fstat(fd, &status) != 0) return Result(-1);
  return fmt::format("mtime {}.{}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

// May do less than asked: the sides need not agree on how much less, so it is repeated.
std::string CopyRange(int from, int to, const Operation& operation) {
  off_t in = operation.offset;
  off_t out = operation.other_offset;
  uint64_t done = 0;
  while (done < operation.length) {
    const ssize_t copied = copy_file_range(from, &in, to, &out, operation.length - done, 0);
    if (copied < 0) return fmt::format("copied {} then {}", done, Result(copied));
    if (copied == 0) break;
    done += copied;
  }
  return fmt::format("copied {}", done);
}

}  // namespace

std::string Side::Read(const Operation& operation) const {
  std::string buffer(operation.length, '\0');
  const int fd = Fd(operation.slot);
  const ssize_t size = operation.verb == Verb::kRead ? pread(fd, buffer.data(), buffer.size(), operation.offset)
                                                     : read(fd, buffer.data(), buffer.size());
  return Content(size, buffer);
}

std::string Side::Write(const Operation& operation) const {
  const std::string data = DataOf(operation.seed, operation.length);
  const int fd = Fd(operation.slot);
  return Result(operation.verb == Verb::kWrite ? pwrite(fd, data.data(), data.size(), operation.offset)
                                               : write(fd, data.data(), data.size()));
}

std::string Side::DoFile(const Operation& operation) {
  const int fd = Fd(operation.slot);
  switch (operation.verb) {
    case Verb::kOpen: {
      UniqueFd opened(open(Path(operation.path).c_str(), operation.flags | O_CLOEXEC | O_NONBLOCK, operation.mode));
      const std::string result = opened ? "opened" : Result(-1);
      struct stat status = {};
      if (opened && fstat(opened.get(), &status) == 0 && S_ISREG(status.st_mode)) {
        open_[operation.slot] = std::move(opened);
      }
      return result;
    }
    case Verb::kClose:
      open_.erase(operation.slot);
      return "closed";
    case Verb::kDup: {
      UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
      if (!copy) return Result(-1);
      open_[operation.other_slot] = std::move(copy);
      return "dup";
    }
    case Verb::kRead:
    case Verb::kSequentialRead:
      return Read(operation);
    case Verb::kWrite:
    case Verb::kSequentialWrite:
      return Write(operation);
    case Verb::kSeek:
      return Result(lseek(fd, operation.offset, operation.seed % 2 == 0 ? SEEK_SET : SEEK_END));
    case Verb::kFtruncate:
      return Result(ftruncate(fd, operation.offset));
    case Verb::kFchmod:
      return Result(fchmod(fd, operation.mode | 0700));
    case Verb::kFutimens:
      return Futimens(fd, operation);
    case Verb::kFsync:
      return Result(operation.seed % 2 == 0 ? fsync(fd) : fdatasync(fd));
    case Verb::kFallocate:
      return Result(fallocate(fd, operation.flags, operation.offset, operation.length));
    case Verb::kCopyFileRange:
      return CopyRange(fd, Fd(operation.other_slot), operation);
    default:
      return Fstat(fd);
  }
}

}  // namespace mirrorfs
