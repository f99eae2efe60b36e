// The kernel's own id of a file, never used again for another one.
#ifndef MIRRORFS_PROTOS_ROOTFS_FILE_ID_H_
#define MIRRORFS_PROTOS_ROOTFS_FILE_ID_H_

#include <optional>
#include <string>

#include "protos/rootfs/mount_facts.h"

namespace mirrorfs {

// Of the file `name` in `directory` (a link is not followed), or of `directory` itself if the name is empty.
// Nothing: the file system has none, or the file is not there; errno tells which.
std::optional<std::string> ReadFileId(int directory, const char* name, FileIds kind);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_FILE_ID_H_
