// CLOCK_BOOTTIME, the clock of RequestHeader.expires_at_ns: it never jumps, and runs on while the machine sleeps.
#ifndef MIRRORFS_PROTOS_WIRE_BOOT_CLOCK_H_
#define MIRRORFS_PROTOS_WIRE_BOOT_CLOCK_H_

#include <time.h>

#include <cstdint>

namespace mirrorfs {

inline uint64_t BootClockNs() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_WIRE_BOOT_CLOCK_H_
