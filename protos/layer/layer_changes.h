// What a layer holds, told as changes of the container's tree.
#ifndef MIRRORFS_PROTOS_LAYER_LAYER_CHANGES_H_
#define MIRRORFS_PROTOS_LAYER_LAYER_CHANGES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protos/layer/layer.h"

namespace mirrorfs {

enum class ChangeKind : char { kAdded = 'A', kModified = 'M', kDeleted = 'D', kRenamed = 'R' };

struct LayerChange {
  ChangeKind kind = ChangeKind::kAdded;
  std::string path;            // in the view: "/a/b"
  std::string container_path;  // where it belongs: the same, unless a mapping or a moved directory leads elsewhere
  std::string origin;          // where the container has now what it covers, if it has
  std::string from;            // of kRenamed: the path in the container before
  FileType type = FileType::kUnknown;  // of kDeleted: what the container had, if that is known
  uint32_t permissions = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t size = 0;
  uint64_t links = 1;  // names in the layer: the record is that of all of them
  LayerRecord record;
};

// Sorted by path; a directory comes before what is in it. A directory that is only there for what is in it is no
// change. The old name of something that was moved can be left out.
enum class OldNames : uint8_t { kLeaveOut, kAsDeleted };
absl::StatusOr<std::vector<LayerChange>> ListLayerChanges(const Layer& layer, OldNames old = OldNames::kLeaveOut);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_LAYER_LAYER_CHANGES_H_
