// What a private layer remembers of one of its files or directories, beside the file itself: kept in an extended
// attribute of it (docs/layer-format.md).
#ifndef MIRRORFS_PROTOS_LAYER_LAYER_RECORD_H_
#define MIRRORFS_PROTOS_LAYER_LAYER_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "protos/shared/file_types.h"

namespace mirrorfs {

// What the container had under a name when the layer began to cover it. Tells whether it has changed there since.
struct LayerBase {
  FileType type = FileType::kUnknown;
  uint32_t permissions = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t size = 0;   // 0 for directories
  uint64_t inode = 0;  // as the container's file system numbers it
  FileTime mtime_ns = 0;

  bool operator==(const LayerBase&) const = default;
};

LayerBase MakeLayerBase(const Attributes& attributes);

// An owner and permissions that the file itself cannot express.
struct LayerOwner {
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t permissions = 0;

  bool operator==(const LayerOwner&) const = default;
};

bool DiffersFromBase(const LayerOwner& owner, const LayerBase& base);

struct LayerRecord {
  bool whiteout = false;  // the name is hidden: what lies here is only its place holder
  bool opaque = false;    // of a directory: nothing of the container's shows in it
  std::optional<LayerBase> base;
  // Path in the container. Of a directory: that one's names show in it. Of a file: it was copied from there. It was
  // moved here, or a mapping of the policy leads there.
  std::optional<std::string> from;
  bool mapped = false;            // `from` is a mapping's: where it belongs in the container
  std::optional<uint64_t> inode;  // the number that programs see
  std::optional<LayerOwner> owner;

  // Nothing to remember.
  bool Empty() const { return *this == LayerRecord{}; }
  bool operator==(const LayerRecord&) const = default;
};

std::string EncodeLayerRecord(const LayerRecord& record);
// EINVAL if it is none.
absl::StatusOr<LayerRecord> DecodeLayerRecord(std::string_view bytes);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_LAYER_LAYER_RECORD_H_
