// Small files and pipes, read to their end.
#ifndef MIRRORFS_AGENT_TARGET_READ_ALL_H_
#define MIRRORFS_AGENT_TARGET_READ_ALL_H_

#include <string>

#include "absl/status/statusor.h"

namespace mirrorfs {

// At most 16 MiB (EFBIG).
absl::StatusOr<std::string> ReadAll(int fd);
absl::StatusOr<std::string> ReadAllOf(const std::string& path);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_READ_ALL_H_
