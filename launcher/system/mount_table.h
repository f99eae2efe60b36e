// What is mounted, as the kernel tells it: nothing here asks a file system, so a dead or hung one does no harm.
#ifndef MIRRORFS_LAUNCHER_SYSTEM_MOUNT_TABLE_H_
#define MIRRORFS_LAUNCHER_SYSTEM_MOUNT_TABLE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mirrorfs {

inline constexpr char kFuseType[] = "fuse.mirrorfs";
// What lies beneath the mount when root mounts, as /proc/mounts shows it.
inline constexpr char kCoverSource[] = "mirrorfs-beneath";

struct MountRow {
  int mount_id = 0;
  int parent_id = 0;
  std::string device;  // major:minor
  std::string mountpoint;
  std::string type;
  std::string source;

  bool IsMirrorfs() const { return type == kFuseType; }
  bool IsCover() const { return type == "tmpfs" && source == kCoverSource; }
};

// The text of /proc/PID/mountinfo; lines that are not understood are left out.
std::vector<MountRow> ParseMountTable(std::string_view text);

std::vector<MountRow> ReadMountTable();

// The mount that is seen at `path` (the topmost one), if `path` is a mount point.
std::optional<MountRow> MountAt(const std::vector<MountRow>& table, std::string_view path);

// Mount points below `path`.
std::vector<std::string> MountsBelow(const std::vector<MountRow>& table, std::string_view path);

// Whether `path` is `directory` or lies in it.
bool IsWithin(std::string_view path, std::string_view directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SYSTEM_MOUNT_TABLE_H_
