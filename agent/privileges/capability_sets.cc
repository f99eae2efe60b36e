#include "agent/privileges/capability_sets.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <initializer_list>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

uint64_t BitsOf(std::initializer_list<int> capabilities) {
  uint64_t bits = 0;
  for (int capability : capabilities) bits |= uint64_t{1} << capability;
  return bits;
}

}  // namespace

CapabilitySet CapabilitiesOf(const PrivilegeOptions& options) {
  CapabilitySet set;
  // SYS_PTRACE opens /proc/PID/root; SETUID and SETGID are setfsuid, setfsgid and setgroups of the worker threads.
  set.permitted = BitsOf({CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_SETUID, CAP_SETGID});
  // In a container the runtime gives root DAC_OVERRIDE, but not DAC_READ_SEARCH: what its programs may read hangs on
  // it.
  if (options.own_rights) set.permitted = BitsOf({CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE});
  if (options.read_write) set.permitted |= BitsOf({CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER, CAP_FSETID, CAP_SETFCAP});
  if (options.read_write && options.devices) set.permitted |= BitsOf({CAP_MKNOD});
  // FSETID keeps set-id bits through writes and chmods: right for a caller who is root, wrong for all others.
  set.effective = set.permitted & ~BitsOf({CAP_FSETID});
  return set;
}

absl::StatusOr<CapabilitySet> GetCapabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data = {};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return LastErrno("capget");
  auto join = [](uint32_t low, uint32_t high) { return uint64_t{high} << 32 | low; };
  return CapabilitySet{.effective = join(data[0].effective, data[1].effective),
                       .permitted = join(data[0].permitted, data[1].permitted),
                       .inheritable = join(data[0].inheritable, data[1].inheritable)};
}

absl::Status SetCapabilities(const CapabilitySet& set) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  auto part = [&set](int shift) {
    return __user_cap_data_struct{.effective = static_cast<uint32_t>(set.effective >> shift),
                                  .permitted = static_cast<uint32_t>(set.permitted >> shift),
                                  .inheritable = static_cast<uint32_t>(set.inheritable >> shift)};
  };
  std::array<__user_cap_data_struct, 2> data = {part(0), part(32)};
  if (::syscall(SYS_capset, &header, data.data()) != 0) return LastErrno("capset");
  return absl::OkStatus();
}

}  // namespace mirrorfs
