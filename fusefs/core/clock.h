// The daemon's clock for ages and orders: monotonic nanoseconds. 0 is before everything.
#ifndef MIRRORFS_FUSEFS_CORE_CLOCK_H_
#define MIRRORFS_FUSEFS_CORE_CLOCK_H_

#include <chrono>
#include <cstdint>

#include "absl/time/time.h"

namespace mirrorfs {

using Instant = int64_t;

inline Instant Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What is left at `now` of a lifetime that began at `since`; never negative.
inline absl::Duration Remaining(absl::Duration lifetime, Instant since, Instant now) {
  const absl::Duration age = absl::Nanoseconds(now - since);
  return age >= lifetime ? absl::ZeroDuration() : lifetime - age;
}

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_CLOCK_H_
