#include "protos/layer/layer_record.h"

#include <cerrno>

#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

json ToJson(const LayerBase& base) {
  const SplitTime mtime = Split(base.mtime_ns);
  return json::array({static_cast<int>(base.type), base.permissions, base.uid, base.gid, base.size, base.inode,
                      mtime.seconds, mtime.nanoseconds});
}

LayerBase BaseFromJson(const json& value) {
  LayerBase base;
  base.type = static_cast<FileType>(value.at(0).get<int>());
  base.permissions = value.at(1).get<uint32_t>();
  base.uid = value.at(2).get<uint32_t>();
  base.gid = value.at(3).get<uint32_t>();
  base.size = value.at(4).get<uint64_t>();
  base.inode = value.at(5).get<uint64_t>();
  base.mtime_ns = Join({value.at(6).get<int64_t>(), value.at(7).get<uint32_t>()});
  return base;
}

// Paths are bytes, not UTF-8: CBOR has a type for them.
json ToJson(const std::string& path) { return json::binary({path.begin(), path.end()}); }

std::string PathFromJson(const json& value) {
  const auto& bytes = value.get_binary();
  return {bytes.begin(), bytes.end()};
}

}  // namespace

LayerBase MakeLayerBase(const Attributes& attributes) {
  return {.type = attributes.type,
          .permissions = attributes.permissions,
          .uid = attributes.uid,
          .gid = attributes.gid,
          .size = attributes.type == FileType::kDirectory ? 0 : attributes.size,
          .inode = attributes.inode,
          .mtime_ns = attributes.mtime_ns};
}

bool DiffersFromBase(const LayerOwner& owner, const LayerBase& base) {
  return owner != LayerOwner{base.uid, base.gid, base.permissions};
}

std::string EncodeLayerRecord(const LayerRecord& record) {
  json value = json::object();
  if (record.whiteout) value["w"] = true;
  if (record.opaque) value["o"] = true;
  if (record.base) value["b"] = ToJson(*record.base);
  if (record.from) value["f"] = ToJson(*record.from);
  if (record.mapped) value["p"] = true;
  if (record.inode) value["i"] = *record.inode;
  if (record.owner) value["m"] = json::array({record.owner->uid, record.owner->gid, record.owner->permissions});
  std::string bytes;
  json::to_cbor(value, bytes);
  return bytes;
}

absl::StatusOr<LayerRecord> DecodeLayerRecord(std::string_view bytes) {
  LayerRecord record;
  try {
    const json value = json::from_cbor(bytes.begin(), bytes.end());
    record.whiteout = value.value("w", false);
    record.opaque = value.value("o", false);
    record.mapped = value.value("p", false);
    if (value.contains("b")) record.base = BaseFromJson(value["b"]);
    if (value.contains("f")) record.from = PathFromJson(value["f"]);
    if (value.contains("i")) record.inode = value["i"].get<uint64_t>();
    if (value.contains("m")) {
      const json& owner = value["m"];
      record.owner = LayerOwner{owner.at(0).get<uint32_t>(), owner.at(1).get<uint32_t>(), owner.at(2).get<uint32_t>()};
    }
  } catch (const json::exception&) {
    return ErrnoStatus(EINVAL, "record of a private layer");
  }
  return record;
}

}  // namespace mirrorfs
