#include "protos/shared/file_types.h"

#include <sys/stat.h>

namespace mirrorfs {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

}  // namespace

SplitTime Split(FileTime time) {
  FileTime seconds = time / kNanosecondsPerSecond;
  FileTime rest = time % kNanosecondsPerSecond;
  if (rest < 0) {
    rest += kNanosecondsPerSecond;
    seconds -= 1;
  }
  return {.seconds = static_cast<int64_t>(seconds), .nanoseconds = static_cast<uint32_t>(rest)};
}

FileTime Join(SplitTime time) { return FileTime{time.seconds} * kNanosecondsPerSecond + time.nanoseconds; }

uint32_t ToMode(FileType type, uint32_t permissions) {
  switch (type) {
    case FileType::kRegular:
      return S_IFREG | permissions;
    case FileType::kDirectory:
      return S_IFDIR | permissions;
    case FileType::kSymlink:
      return S_IFLNK | permissions;
    case FileType::kCharacterDevice:
      return S_IFCHR | permissions;
    case FileType::kBlockDevice:
      return S_IFBLK | permissions;
    case FileType::kFifo:
      return S_IFIFO | permissions;
    case FileType::kSocket:
      return S_IFSOCK | permissions;
    case FileType::kUnknown:
      break;
  }
  return permissions;
}

FileType TypeOfMode(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::kRegular;
    case S_IFDIR:
      return FileType::kDirectory;
    case S_IFLNK:
      return FileType::kSymlink;
    case S_IFCHR:
      return FileType::kCharacterDevice;
    case S_IFBLK:
      return FileType::kBlockDevice;
    case S_IFIFO:
      return FileType::kFifo;
    case S_IFSOCK:
      return FileType::kSocket;
    default:
      return FileType::kUnknown;
  }
}

}  // namespace mirrorfs
