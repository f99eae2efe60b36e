#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "tests/conformance/box.h"

namespace mirrorfs::conformance {
namespace {

const char* TypeName(short type) { return type == F_RDLCK ? "read" : type == F_WRLCK ? "write" : "unlock"; }

const char* CommandName(int command) {
  switch (command) {
    case F_SETLK:
      return "F_SETLK";
    case F_SETLKW:
      return "F_SETLKW";
    case F_GETLK:
      return "F_GETLK";
    case F_OFD_SETLK:
      return "F_OFD_SETLK";
    case F_OFD_SETLKW:
      return "F_OFD_SETLKW";
    default:
      return "F_OFD_GETLK";
  }
}

struct flock Range(short type, off_t start, off_t length) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = start;
  range.l_len = length;
  return range;
}

}  // namespace

int Box::Lock(int fd, int command, short type, off_t start, off_t length) {
  struct flock range = Range(type, start, length);
  return Report(fmt::format("fcntl({}, {}, {} {}+{})", FdName(fd), CommandName(command), TypeName(type), start, length),
                ::fcntl(fd, command, &range));
}

void Box::GetLock(int fd, int command, short type, off_t start, off_t length) {
  struct flock range = Range(type, start, length);
  const std::string call =
      fmt::format("fcntl({}, {}, {} {}+{})", FdName(fd), CommandName(command), TypeName(type), start, length);
  if (::fcntl(fd, command, &range) != 0) {
    Report(call, -1);
  } else if (range.l_type == F_UNLCK) {
    Note(call + " = free");
  } else {
    Note(fmt::format("{} = {} {}+{}", call, TypeName(range.l_type), range.l_start, range.l_len));
  }
}

int Box::Flock(int fd, int operation) {
  const int kind = operation & ~LOCK_NB;
  const char* name = kind == LOCK_SH   ? "shared"
                     : kind == LOCK_EX ? "exclusive"
                     : kind == LOCK_UN ? "unlock"
                                       : "unknown";
  return Report(fmt::format("flock({}, {}{})", FdName(fd), name, operation & LOCK_NB ? ", no wait" : ""),
                ::flock(fd, operation));
}

}  // namespace mirrorfs::conformance
