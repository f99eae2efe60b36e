// What every name, target and length on the wire must be like; the same rules hold for requests and for replies.
#ifndef MIRRORFS_PROTOS_WIRE_CHECK_H_
#define MIRRORFS_PROTOS_WIRE_CHECK_H_

#include <string_view>

#include "absl/status/status.h"

namespace mirrorfs {

// One path component: EINVAL, or ENAMETOOLONG (see file_system.h).
absl::Status CheckName(std::string_view name);

// A symbolic link's target: EINVAL for a NUL in it, ENOENT for an empty one, ENAMETOOLONG.
absl::Status CheckTarget(std::string_view target);

// An extended attribute's name: ERANGE for an empty or long one, as Linux; EINVAL for a NUL in it.
absl::Status CheckXattrName(std::string_view name);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_WIRE_CHECK_H_
