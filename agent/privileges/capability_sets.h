// Which capabilities each mode of the agent keeps. docs/security.md has the same table.
#ifndef MIRRORFS_AGENT_PRIVILEGES_CAPABILITY_SETS_H_
#define MIRRORFS_AGENT_PRIVILEGES_CAPABILITY_SETS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/privileges/privileges.h"

namespace mirrorfs {

// Bit n is capability n.
struct CapabilitySet {
  uint64_t effective = 0;
  uint64_t permitted = 0;
  uint64_t inheritable = 0;
};

// What a mode may keep: `permitted` is all of it; `effective` leaves out what threads raise only for single calls.
CapabilitySet CapabilitiesOf(const PrivilegeOptions& options);

// Those of the calling thread.
absl::StatusOr<CapabilitySet> GetCapabilities();
absl::Status SetCapabilities(const CapabilitySet& set);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_PRIVILEGES_CAPABILITY_SETS_H_
