// Maps user or group ids between the container's user namespace and the agent's.
#ifndef MIRRORFS_PROTOS_ROOTFS_ID_MAP_H_
#define MIRRORFS_PROTOS_ROOTFS_ID_MAP_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "protos/shared/file_types.h"

namespace mirrorfs {

// Immutable, thread-safe.
class IdMap {
 public:
  // Every id is itself.
  IdMap() = default;
  // The text of /proc/PID/uid_map or gid_map: lines of "first-inside first-outside count".
  static absl::StatusOr<IdMap> Parse(std::string_view text);

  // kOverflowId if the id has no name inside.
  uint32_t ToContainer(uint32_t outside) const;
  std::optional<uint32_t> ToAgent(uint32_t inside) const;
  // True if the id has a name inside.
  bool Maps(uint32_t outside) const;
  bool IsIdentity() const { return extents_.empty(); }

 private:
  struct Extent {
    uint32_t inside;
    uint32_t outside;
    uint32_t count;
  };
  std::vector<Extent> extents_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_ID_MAP_H_
