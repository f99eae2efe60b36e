// What kind of file system lies behind a mount, asked once per mount.
#ifndef MIRRORFS_PROTOS_ROOTFS_MOUNT_FACTS_H_
#define MIRRORFS_PROTOS_ROOTFS_MOUNT_FACTS_H_

#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

enum class FileIds : uint8_t {
  kNone,
  kDecodable,  // name_to_handle_at without AT_HANDLE_FID (Linux before 6.5)
  kIdentify,   // with AT_HANDLE_FID
};

struct MountFacts {
  bool refused = false;
  bool overlay = false;
  FileIds file_ids = FileIds::kNone;
};

// procfs, sysfs, cgroups, devpts and their like: the kernel's own interfaces, not the container's files.
bool IsPseudoFilesystem(uint64_t magic);

// Asks the kernel about the file system of an open file (also O_PATH). Nothing: errno is set.
std::optional<MountFacts> ProbeMount(int fd);

// Remembers the answers by mount number. Thread-safe.
class MountFactsCache {
 public:
  std::optional<MountFacts> Find(uint64_t mount) const;
  void Remember(uint64_t mount, const MountFacts& facts);

 private:
  mutable Mutex mutex_;
  absl::flat_hash_map<uint64_t, MountFacts> facts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_MOUNT_FACTS_H_
