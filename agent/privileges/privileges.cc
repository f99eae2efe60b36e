#include "agent/privileges/privileges.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#include <cerrno>

#include "agent/privileges/capability_sets.h"
#include "agent/privileges/seccomp_filter.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

bool Has(const CapabilitySet& set, int capability) { return (set.effective >> capability & 1) != 0; }

absl::Status SetNoNewPrivileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return LastErrno("PR_SET_NO_NEW_PRIVS");
  return absl::OkStatus();
}

// NO_SETUID_FIXUP: a change of the fsuid leaves the capabilities alone, the worker threads set both themselves.
// NOROOT: uid 0 gains nothing. All of it for good.
absl::Status LockSecurebits() {
  constexpr unsigned kBits = SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NOROOT |
                             SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                             SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  if (::prctl(PR_SET_SECUREBITS, kBits, 0, 0, 0) != 0) return LastErrno("PR_SET_SECUREBITS");
  return absl::OkStatus();
}

absl::Status EmptyBoundingSet() {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return LastErrno("PR_CAPBSET_DROP");
  }
  return absl::OkStatus();
}

absl::Status EmptyAmbientSet() {
  // EINVAL: a kernel without ambient capabilities.
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) {
    return LastErrno("PR_CAP_AMBIENT_CLEAR_ALL");
  }
  return absl::OkStatus();
}

absl::Status KeepCapabilities(const CapabilitySet& held, const CapabilitySet& wanted) {
  return SetCapabilities({.effective = wanted.effective & held.permitted,
                          .permitted = wanted.permitted & held.permitted,
                          .inheritable = 0});
}

absl::Status KeepOnly(const CapabilitySet& wanted) {
  ASSIGN_OR_RETURN(const CapabilitySet held, GetCapabilities());
  RETURN_IF_ERROR(SetNoNewPrivileges());
  // Without SETPCAP (an ordinary user, a pod with a few named capabilities) the bounding set and the securebits cannot
  // be changed. They say what execve and setuid could give, and seccomp forbids both.
  if (Has(held, CAP_SETPCAP)) {
    RETURN_IF_ERROR(LockSecurebits());
    RETURN_IF_ERROR(EmptyBoundingSet());
  }
  RETURN_IF_ERROR(EmptyAmbientSet());
  RETURN_IF_ERROR(KeepCapabilities(held, wanted));
  return InstallSeccompFilter();
}

}  // namespace

absl::Status DropPrivileges(const PrivilegeOptions& options) { return KeepOnly(CapabilitiesOf(options)); }

absl::Status DropAllPrivileges() { return KeepOnly({}); }

absl::Status LayDownCapabilities() {
  ASSIGN_OR_RETURN(CapabilitySet held, GetCapabilities());
  held.effective = 0;
  RETURN_IF_ERROR(EmptyAmbientSet());
  return SetCapabilities(held);
}

}  // namespace mirrorfs
