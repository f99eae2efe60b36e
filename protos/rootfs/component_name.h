// What may name a file in its directory.
#ifndef MIRRORFS_PROTOS_ROOTFS_COMPONENT_NAME_H_
#define MIRRORFS_PROTOS_ROOTFS_COMPONENT_NAME_H_

#include <string_view>

#include "absl/status/status.h"

namespace mirrorfs {

// OK for one path component other than "." and ".."; EINVAL, or ENAMETOOLONG beyond 255 bytes.
[[nodiscard]] absl::Status CheckComponentName(std::string_view name);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_COMPONENT_NAME_H_
