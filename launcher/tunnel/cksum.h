// The check sum of POSIX's cksum, which every container with a shell has.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_CKSUM_H_
#define MIRRORFS_LAUNCHER_TUNNEL_CKSUM_H_

#include <cstdint>
#include <string_view>

namespace mirrorfs {

uint32_t Cksum(std::string_view bytes);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_CKSUM_H_
