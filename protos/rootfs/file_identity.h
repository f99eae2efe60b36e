// Which file is this? A byte string that is equal for the same file, and for no other one, however quickly inode
// numbers are used again (docs/adr/0005).
//
// It is made of the device and inode numbers, the mount it is seen through (the same file under a read-only and a
// writable mount is two nodes), and the kernel's file id (name_to_handle_at with AT_HANDLE_FID), which is never used
// again and survives overlay's copy-up. Where there is no file id, or it is not the last word, the birth time.
// It is opaque to clients, who hand it back in Reclaim; it is compared byte by byte.
#ifndef MIRRORFS_PROTOS_ROOTFS_FILE_IDENTITY_H_
#define MIRRORFS_PROTOS_ROOTFS_FILE_IDENTITY_H_

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protos/shared/file_types.h"

namespace mirrorfs {

// What can be told from an identity without asking the kernel.
struct IdentityFacts {
  FileType type = FileType::kUnknown;
  bool refused = false;  // on a pseudo file system: shown, never entered or opened
  bool overlay = false;  // changes may copy it up, and its identity with it
  bool lasting = false;  // it has a file id
  // One of several names in a lower layer of an overlay: each is copied up for itself, so each is a file of its own.
  bool per_name = false;
  uint64_t device = 0;

  bool operator==(const IdentityFacts&) const = default;
};

// `file_id` is empty if the file system has none (facts.lasting says so too).
std::string EncodeIdentity(const struct statx& stat, const IdentityFacts& facts, std::string_view file_id);

// True if the file id says that the file lies in a lower layer of an overlay, or was copied up from there.
bool ComesFromLowerLayer(std::string_view file_id);

// Nothing if it is no identity (they come back from clients).
std::optional<IdentityFacts> DecodeIdentity(std::string_view identity);

uint64_t DeviceNumber(const struct statx& stat);
uint64_t MountNumber(const struct statx& stat);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_FILE_IDENTITY_H_
