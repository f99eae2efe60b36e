// The version of protos/mirrorfs/v1 that this program speaks. It changes with every change that an older program would
// misunderstand; both ends refuse another one at Attach.
#ifndef MIRRORFS_PROTOS_WIRE_PROTOCOL_VERSION_H_
#define MIRRORFS_PROTOS_WIRE_PROTOCOL_VERSION_H_

#include <cstddef>
#include <cstdint>

namespace mirrorfs {

inline constexpr uint32_t kProtocolVersion = 2;

// Largest message that either end accepts: 4 MiB, and some room for headers.
inline constexpr size_t kMaxMessageBytes = (size_t{4} << 20) + (size_t{64} << 10);

// Most that precedes the bulk data in a message (a header with the 65,536 groups that Linux allows).
inline constexpr size_t kMaxBulkHeadBytes = size_t{512} << 10;

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_WIRE_PROTOCOL_VERSION_H_
