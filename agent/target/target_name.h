// The text that names a target, taken apart.
#ifndef MIRRORFS_AGENT_TARGET_TARGET_NAME_H_
#define MIRRORFS_AGENT_TARGET_TARGET_NAME_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace mirrorfs {

enum class TargetKind : uint8_t { kDocker, kPodman, kContainerd, kCri, kPid, kDirectory, kOwn, kEnded };

struct TargetName {
  TargetKind kind = TargetKind::kDirectory;
  std::string space;  // kContainerd: the namespace
  std::string name;   // name or id (or its beginning); kDirectory: the path; kOwn, kEnded: for people
  int pid = 0;        // kPid
};

// INVALID_ARGUMENT tells which forms there are.
absl::StatusOr<TargetName> ParseTargetName(std::string_view text);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_TARGET_NAME_H_
