// Reading until there is nothing left or enough has been read.
#ifndef MIRRORFS_PROTOS_ROOTFS_READ_FILE_H_
#define MIRRORFS_PROTOS_ROOTFS_READ_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace mirrorfs {

// Fills `buffer` from `offset`; fewer bytes than `size` only at the end of the file.
absl::StatusOr<size_t> ReadFully(int fd, char* buffer, size_t size, uint64_t offset);

// The first `size` bytes of a file, or all of it if it is shorter.
absl::StatusOr<std::string> ReadStart(int fd, size_t size);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_READ_FILE_H_
