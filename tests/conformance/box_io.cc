#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "tests/conformance/box.h"

namespace mirrorfs::conformance {
namespace {

struct FlagName {
  int flag;
  const char* name;
};

// O_SYNC contains O_DSYNC, O_TMPFILE contains O_DIRECTORY: the larger first.
constexpr FlagName kFlagNames[] = {
    {O_CREAT, "O_CREAT"},       {O_EXCL, "O_EXCL"},   {O_TRUNC, "O_TRUNC"},       {O_APPEND, "O_APPEND"},
    {O_SYNC, "O_SYNC"},         {O_DSYNC, "O_DSYNC"}, {O_TMPFILE, "O_TMPFILE"},   {O_DIRECTORY, "O_DIRECTORY"},
    {O_DIRECT, "O_DIRECT"},     {O_PATH, "O_PATH"},   {O_NOFOLLOW, "O_NOFOLLOW"}, {O_NOATIME, "O_NOATIME"},
    {O_NONBLOCK, "O_NONBLOCK"},
};

std::string FallocateModeNames(int mode) {
  if (mode == 0) return "allocate";
  std::string names;
  if (mode & FALLOC_FL_KEEP_SIZE) names += "keep-size ";
  if (mode & FALLOC_FL_PUNCH_HOLE) names += "punch ";
  if (mode & FALLOC_FL_COLLAPSE_RANGE) names += "collapse ";
  if (mode & FALLOC_FL_ZERO_RANGE) names += "zero ";
  if (mode & FALLOC_FL_INSERT_RANGE) names += "insert ";
  if (mode & FALLOC_FL_UNSHARE_RANGE) names += "unshare ";
  if (mode & ~0x7b) names += "unknown ";
  return names.substr(0, names.size() - 1);
}

const char* WhenceName(int whence) {
  constexpr const char* kNames[] = {"SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE"};
  return whence >= 0 && whence < 5 ? kNames[whence] : "unknown";
}

}  // namespace

std::string OpenFlagNames(int flags) {
  std::string names = (flags & O_ACCMODE) == O_RDONLY   ? "O_RDONLY"
                      : (flags & O_ACCMODE) == O_WRONLY ? "O_WRONLY"
                                                        : "O_RDWR";
  for (const FlagName& flag : kFlagNames) {
    if ((flags & flag.flag) != flag.flag) continue;
    names += std::string("|") + flag.name;
    flags &= ~flag.flag;
  }
  return names;
}

std::string Pattern(size_t size, unsigned seed) {
  std::string data(size, '\0');
  for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>((i * 31 + (i >> 8) * 7 + (i >> 16) * 13 + seed) & 0xff);
  return data;
}

std::string Box::FdName(int fd) const {
  const auto found = fd_names_.find(fd);
  return found == fd_names_.end() ? "no fd" : found->second;
}

int Box::Open(const std::string& path, int flags, mode_t mode) { return OpenAt(AT_FDCWD, path, flags, mode); }

int Box::OpenAt(int directory, const std::string& path, int flags, mode_t mode) {
  std::string call = fmt::format("open({}, {}", Quote(path), OpenFlagNames(flags));
  call += (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) ? fmt::format(", {})", Octal(mode)) : ")";
  const int fd = ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode);
  Report(call, fd);
  if (fd >= 0) fd_names_[fd] = Quote(path);
  return fd;
}

int Box::Close(int fd) {
  const std::string name = FdName(fd);
  fd_names_.erase(fd);
  return Report(fmt::format("close({})", name), ::close(fd));
}

void Box::Create(const std::string& path, std::string_view content, mode_t mode) {
  const int fd = Open(path, O_CREAT | O_EXCL | O_WRONLY, mode);
  if (fd < 0) return;
  if (!content.empty()) Write(fd, content);
  Close(fd);
}

void Box::Contents(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    Report(fmt::format("contents({})", Quote(path)), -1);
    return;
  }
  std::string data;
  std::string buffer(1 << 17, '\0');
  ssize_t got;
  while ((got = ::read(fd.get(), buffer.data(), buffer.size())) > 0) data.append(buffer.data(), size_t(got));
  if (got < 0) Report(fmt::format("read({})", Quote(path)), got);
  Note(fmt::format("contents({}) = {}", Quote(path), Summary(data)));
}

std::string Box::Read(int fd, size_t size) {
  std::string data(size, '\0');
  const ssize_t got = ::read(fd, data.data(), size);
  if (got < 0) {
    Report(fmt::format("read({}, {})", FdName(fd), size), got);
    return {};
  }
  data.resize(static_cast<size_t>(got));
  Note(fmt::format("read({}, {}) = {}", FdName(fd), size, Summary(data)));
  return data;
}

std::string Box::Pread(int fd, size_t size, off_t offset) {
  std::string data(size, '\0');
  const ssize_t got = ::pread(fd, data.data(), size, offset);
  if (got < 0) {
    Report(fmt::format("pread({}, {}, {})", FdName(fd), size, offset), got);
    return {};
  }
  data.resize(static_cast<size_t>(got));
  Note(fmt::format("pread({}, {}, {}) = {}", FdName(fd), size, offset, Summary(data)));
  return data;
}

long Box::Write(int fd, std::string_view data) {
  return ReportValue(fmt::format("write({}, {})", FdName(fd), Summary(data)), ::write(fd, data.data(), data.size()));
}

long Box::Pwrite(int fd, std::string_view data, off_t offset) {
  return ReportValue(fmt::format("pwrite({}, {}, {})", FdName(fd), Summary(data), offset),
                     ::pwrite(fd, data.data(), data.size(), offset));
}

off_t Box::Seek(int fd, off_t offset, int whence) {
  return ReportValue(fmt::format("lseek({}, {}, {})", FdName(fd), offset, WhenceName(whence)),
                     ::lseek(fd, offset, whence));
}

int Box::Fsync(int fd) { return Report(fmt::format("fsync({})", FdName(fd)), ::fsync(fd)); }

int Box::Fdatasync(int fd) { return Report(fmt::format("fdatasync({})", FdName(fd)), ::fdatasync(fd)); }

int Box::Fallocate(int fd, int mode, off_t offset, off_t length) {
  return Report(fmt::format("fallocate({}, {}, {}, {})", FdName(fd), FallocateModeNames(mode), offset, length),
                ::fallocate(fd, mode, offset, length));
}

long Box::CopyFileRange(int in, off_t in_offset, int out, off_t out_offset, size_t length) {
  return ReportValue(
      fmt::format("copy_file_range({} at {}, {} at {}, {})", FdName(in), in_offset, FdName(out), out_offset, length),
      ::copy_file_range(in, &in_offset, out, &out_offset, length, 0));
}

long Box::Sendfile(int out, int in, off_t offset, size_t length) {
  return ReportValue(fmt::format("sendfile({}, {} at {}, {})", FdName(out), FdName(in), offset, length),
                     ::sendfile(out, in, &offset, length));
}

void Box::Extents(int fd) {
  std::string extents;
  const off_t end = ::lseek(fd, 0, SEEK_END);
  for (off_t at = 0; at < end;) {
    const off_t data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0) break;
    at = ::lseek(fd, data, SEEK_HOLE);
    extents += fmt::format(" {}-{}", data, at);
    if (at <= data) break;
  }
  Note(fmt::format("data({}):{} of {}", FdName(fd), extents, end));
}

char* Box::Map(int fd, size_t length, int protection, int flags, off_t offset) {
  void* address = ::mmap(nullptr, length, protection, flags, fd, offset);
  Report(
      fmt::format("mmap({}, {}, {}{}, {}, {})", FdName(fd), length, protection & PROT_READ ? "r" : "",
                  protection & PROT_WRITE ? "w" : "", (flags & MAP_TYPE) == MAP_PRIVATE ? "private" : "shared", offset),
      address == MAP_FAILED ? -1 : 0);
  return address == MAP_FAILED ? nullptr : static_cast<char*>(address);
}

}  // namespace mirrorfs::conformance
