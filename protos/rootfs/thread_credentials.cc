#include "protos/rootfs/thread_credentials.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr uint64_t Bit(int capability) { return uint64_t{1} << capability; }
constexpr uint64_t kNeededToReturn = Bit(CAP_SETUID) | Bit(CAP_SETGID);

// The calling thread, as this file last left it.
class ThreadCredentials {
 public:
  // The state lies where the kernel keeps what it mirrors: in the thread.
  static ThreadCredentials& OfThisThread() {
    thread_local ThreadCredentials credentials;
    return credentials;
  }

  absl::Status Become(const Credentials& wanted) {
    Credentials target = wanted;
    target.capabilities = (wanted.capabilities & permitted_) | (permitted_ & kNeededToReturn);
    return Apply(target);
  }

  void Return() {
    // It was so before and CAP_SETUID, CAP_SETGID are still there: the only failures left are the kernel's own.
    // To go on with somebody else's rights would be worse than to stop.
    if (!Apply(own_).ok()) std::abort();
  }

  uint32_t SetUmask(uint32_t mask) {
    if (!has_own_umask_) has_own_umask_ = ::unshare(CLONE_FS) == 0;
    return ::umask(mask & 0777);
  }

 private:
  ThreadCredentials() {
    own_.uid = ::setfsuid(-1);
    own_.gid = ::setfsgid(-1);
    own_.groups.resize(static_cast<size_t>(std::max(0, ::getgroups(0, nullptr))));
    if (::getgroups(static_cast<int>(own_.groups.size()), own_.groups.data()) < 0) own_.groups.clear();
    ReadCapabilities();
    current_ = own_;
    KeepCapabilitiesAcrossSetfsuid();
  }

  void ReadCapabilities() {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    if (::syscall(SYS_capget, &header, data_) != 0) return;
    own_.capabilities = data_[0].effective | uint64_t{data_[1].effective} << 32;
    permitted_ = data_[0].permitted | uint64_t{data_[1].permitted} << 32;
  }

  void KeepCapabilitiesAcrossSetfsuid() {
    const int bits = ::prctl(PR_GET_SECUREBITS);
    keeps_capabilities_ = bits >= 0 && ((bits & SECBIT_NO_SETUID_FIXUP) != 0 ||
                                        ::prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP) == 0);
  }

  absl::Status Apply(const Credentials& target) {
    RETURN_IF_ERROR(ApplyGroups(target));
    if (target.gid != current_.gid) {
      ::setfsgid(target.gid);
      if (static_cast<uint32_t>(::setfsgid(-1)) != target.gid) return ErrnoStatus(EPERM, "setfsgid");
      current_.gid = target.gid;
    }
    bool capabilities_may_differ = false;
    if (target.uid != current_.uid) {
      ::setfsuid(target.uid);
      if (static_cast<uint32_t>(::setfsuid(-1)) != target.uid) return ErrnoStatus(EPERM, "setfsuid");
      current_.uid = target.uid;
      capabilities_may_differ = !keeps_capabilities_;
    }
    if (target.capabilities == current_.capabilities && !capabilities_may_differ) return absl::OkStatus();
    return ApplyCapabilities(target.capabilities);
  }

  absl::Status ApplyGroups(const Credentials& target) {
    if (target.groups == current_.groups || (permitted_ & Bit(CAP_SETGID)) == 0) return absl::OkStatus();
    if (::syscall(SYS_setgroups, target.groups.size(), target.groups.data()) != 0) return LastErrno("setgroups");
    current_.groups = target.groups;
    return absl::OkStatus();
  }

  absl::Status ApplyCapabilities(uint64_t effective) {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    data_[0].effective = static_cast<uint32_t>(effective);
    data_[1].effective = static_cast<uint32_t>(effective >> 32);
    if (::syscall(SYS_capset, &header, data_) != 0) return LastErrno("capset");
    current_.capabilities = effective;
    return absl::OkStatus();
  }

  Credentials own_;
  Credentials current_;
  uint64_t permitted_ = 0;
  __user_cap_data_struct data_[2] = {};
  bool keeps_capabilities_ = false;
  bool has_own_umask_ = false;
};

}  // namespace

absl::StatusOr<ActingAs> ActingAs::Become(const Credentials& credentials, std::optional<uint32_t> umask) {
  ThreadCredentials& thread = ThreadCredentials::OfThisThread();
  ActingAs acting;  // from here on whatever has been changed is undone
  RETURN_IF_ERROR(thread.Become(credentials));
  if (umask.has_value()) acting.former_umask_ = thread.SetUmask(*umask);
  return acting;
}

ActingAs::~ActingAs() {
  if (!active_) return;
  ThreadCredentials& thread = ThreadCredentials::OfThisThread();
  if (former_umask_.has_value()) thread.SetUmask(*former_umask_);
  thread.Return();
}

}  // namespace mirrorfs
