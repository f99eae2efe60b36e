// A directory as it was read: names, attributes and the nodes that came with them.
#ifndef MIRRORFS_FUSEFS_CORE_LISTING_H_
#define MIRRORFS_FUSEFS_CORE_LISTING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "fusefs/core/clock.h"
#include "fusefs/core/inode.h"
#include "protos/shared/file_types.h"

namespace mirrorfs {

struct ListedName {
  std::string name;
  FileType type = FileType::kUnknown;
  uint64_t inode_number = 0;
  InodePtr inode;  // null if the agent could not, or was not asked to, say more than the name
  Attributes attributes;
};

// Immutable, thread-safe.
class Listing {
 public:
  // `fetched_at`: when the first page was asked for. `complete`: all names of the directory are in it.
  Listing(Instant fetched_at, std::vector<ListedName> names, bool complete)
      : fetched_at_(fetched_at), complete_(complete), names_(std::move(names)) {
    index_.reserve(names_.size());
    for (size_t i = 0; i < names_.size(); ++i) index_.emplace(names_[i].name, static_cast<uint32_t>(i));
  }

  Instant fetched_at() const { return fetched_at_; }
  bool complete() const { return complete_; }
  const std::vector<ListedName>& names() const { return names_; }

  const ListedName* Find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &names_[found->second];
  }

 private:
  const Instant fetched_at_;
  const bool complete_;
  const std::vector<ListedName> names_;
  absl::flat_hash_map<std::string_view, uint32_t> index_;
};

using ListingPtr = std::shared_ptr<const Listing>;

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_LISTING_H_
