// From what the kernel says about a file to what the client is shown.
#ifndef MIRRORFS_PROTOS_ROOTFS_ATTRIBUTE_CONVERSION_H_
#define MIRRORFS_PROTOS_ROOTFS_ATTRIBUTE_CONVERSION_H_

#include "protos/rootfs/file_inspector.h"
#include "protos/rootfs/id_map.h"
#include "protos/shared/file_types.h"

namespace mirrorfs {

// Immutable, thread-safe. The maps outlive it.
class AttributeConversion {
 public:
  AttributeConversion(uint64_t root_device, const IdMap& uids, const IdMap& gids)
      : root_device_(root_device), uids_(uids), gids_(gids) {}

  // A refused directory is shown as an empty one.
  Attributes Convert(const struct statx& stat, const IdentityFacts& facts) const;
  Attributes Convert(const InspectedFile& file) const { return Convert(file.stat, file.facts); }

  // The inode number itself on the root's device, else device and number mixed: unique over the mounts, with the
  // second highest bit set so that it does not meet one of the root's own.
  uint64_t ShownInode(uint64_t device, uint64_t inode) const;

 private:
  const uint64_t root_device_;
  const IdMap& uids_;
  const IdMap& gids_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_ATTRIBUTE_CONVERSION_H_
