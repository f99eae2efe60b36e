// What download and upload have in common.
#ifndef MIRRORFS_FUSEFS_TRANSFER_TRANSFER_PARTS_H_
#define MIRRORFS_FUSEFS_TRANSFER_TRANSFER_PARTS_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

inline constexpr uint32_t kTransferChunk = 1 << 20;  // SPEED 5
// Calls in flight: with distance their number is the speed.
inline constexpr size_t kTransferThreads = 8;

void GiveBack(FileSystem& files, NodeId node);
// Unique in this process.
HandleId NextTransferHandle();
absl::Status WriteAll(int fd, std::string_view data);
// True of all zeros.
bool IsHole(std::string_view data);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_TRANSFER_TRANSFER_PARTS_H_
