// The comma-separated words after -o, as mount(8) and sshfs users know them.
#ifndef MIRRORFS_LAUNCHER_PLAN_MOUNT_OPTIONS_H_
#define MIRRORFS_LAUNCHER_PLAN_MOUNT_OPTIONS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace mirrorfs {

// What was said; absent or false: not said. The last one of contradicting words counts, as in mount(8).
struct MountOptionList {
  std::optional<bool> read_write;
  std::optional<bool> suid;
  std::optional<bool> dev;
  std::optional<bool> exec;
  bool allow_other = false;
  bool default_permissions = false;
  bool nonempty = false;
  bool acl = false;
  bool map_ids = false;       // idmap=user
  bool raw_symlinks = false;  // symlinks=raw
  std::optional<absl::Duration> attr_timeout;
  std::optional<absl::Duration> entry_timeout;

  bool operator==(const MountOptionList&) const = default;
};

// `words`: each value of -o, in order. An option that is not known, or has a wrong value: kUsage, naming the nearest.
absl::StatusOr<MountOptionList> ParseMountOptions(absl::Span<const std::string> words);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_MOUNT_OPTIONS_H_
