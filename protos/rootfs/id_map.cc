#include "protos/rootfs/id_map.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"

namespace mirrorfs {

absl::StatusOr<IdMap> IdMap::Parse(std::string_view text) {
  IdMap map;
  const std::string copy(text);
  for (absl::string_view line : absl::StrSplit(copy, '\n', absl::SkipWhitespace())) {
    std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    Extent extent;
    if (words.size() != 3 || !absl::SimpleAtoi(words[0], &extent.inside) ||
        !absl::SimpleAtoi(words[1], &extent.outside) || !absl::SimpleAtoi(words[2], &extent.count)) {
      return absl::InvalidArgumentError(fmt::format("not a line of an id map: '{}'", std::string(line)));
    }
    map.extents_.push_back(extent);
  }
  if (map.extents_.empty()) {
    // Nothing is mapped: one empty extent keeps the map from reading as the identity.
    map.extents_.push_back({0, 0, 0});
  }
  const Extent& first = map.extents_.front();
  if (map.extents_.size() == 1 && first.inside == 0 && first.outside == 0 && first.count == UINT32_MAX) {
    map.extents_.clear();
  }
  return map;
}

uint32_t IdMap::ToContainer(uint32_t outside) const {
  if (IsIdentity()) return outside;
  for (const Extent& extent : extents_) {
    if (outside >= extent.outside && outside - extent.outside < extent.count) {
      return extent.inside + (outside - extent.outside);
    }
  }
  return kOverflowId;
}

std::optional<uint32_t> IdMap::ToAgent(uint32_t inside) const {
  if (IsIdentity()) return inside;
  for (const Extent& extent : extents_) {
    if (inside >= extent.inside && inside - extent.inside < extent.count) {
      return extent.outside + (inside - extent.inside);
    }
  }
  return std::nullopt;
}

bool IdMap::Maps(uint32_t outside) const {
  if (IsIdentity()) return true;
  for (const Extent& extent : extents_) {
    if (outside >= extent.outside && outside - extent.outside < extent.count) return true;
  }
  return false;
}

}  // namespace mirrorfs
