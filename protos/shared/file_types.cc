#include "protos/shared/file_types.h"

#include <sys/stat.h>

namespace mirrorfs {

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
