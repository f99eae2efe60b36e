// What a symbolic link says.
#ifndef MIRRORFS_PROTOS_ROOTFS_LINK_TARGET_H_
#define MIRRORFS_PROTOS_ROOTFS_LINK_TARGET_H_

#include <string>

#include "absl/status/statusor.h"

namespace mirrorfs {

// Of the link `name` in `directory`, or of `directory` itself (an O_PATH descriptor of a link) if the name is empty.
// `size_hint` is its st_size, which some file systems have as 0.
absl::StatusOr<std::string> ReadLinkTarget(int directory, const char* name, uint64_t size_hint);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_LINK_TARGET_H_
