// Faults that a build can plant into itself, to show that the tests catch them. Never in a build for users.
#ifndef MIRRORFS_PROTOS_SHARED_PLANTED_FAULT_H_
#define MIRRORFS_PROTOS_SHARED_PLANTED_FAULT_H_

#include <string_view>

#ifdef MIRRORFS_PLANTED_FAULTS
#include <cstdlib>
#endif

namespace mirrorfs {

// Whether the program was started to have this fault: the environment variable MIRRORFS_FAULT names it. Without the
// build option MIRRORFS_PLANTED_FAULTS the answer is a constant, and nothing of the fault is left.
#ifdef MIRRORFS_PLANTED_FAULTS
inline bool FaultPlanted(std::string_view name) {
  static const std::string_view planted = [] {
    const char* value = std::getenv("MIRRORFS_FAULT");
    return std::string_view(value == nullptr ? "" : value);
  }();
  return planted == name;
}
#else
constexpr bool FaultPlanted(std::string_view) { return false; }
#endif

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_SHARED_PLANTED_FAULT_H_
