// Small pieces that the files of the native adapter share.
#ifndef MIRRORFS_TESTS_NATIVE_SYSTEM_CALLS_H_
#define MIRRORFS_TESTS_NATIVE_SYSTEM_CALLS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "protos/shared/file_types.h"

namespace mirrorfs {

// OK, EINVAL or ENAMETOOLONG as the port has it.
absl::Status CheckName(std::string_view name);
// Of what the descriptor holds, O_PATH or not.
absl::StatusOr<Attributes> AttributesOf(int fd);
// Of the symbolic link that an O_PATH descriptor holds.
absl::StatusOr<std::string> LinkTargetOf(int fd);
// The link target of a symbolic link, nothing of anything else.
absl::StatusOr<std::string> LinkTargetOf(int fd, const Attributes& attributes);
// O_* as open(2) takes it.
int ToOpenFlags(const OpenFlags& flags);
// OK for 0, the errno for -1.
absl::Status ToStatus(int result, std::string_view what);

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_NATIVE_SYSTEM_CALLS_H_
