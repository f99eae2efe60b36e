#include "tests/native/act_as.h"

#include <grp.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mirrorfs {

// The raw call: glibc's setgroups changes every thread of the process.
ActAs::ActAs(const std::optional<Caller>& who) : active_(who.has_value()) {
  if (!active_) return;
  groups_.resize(getgroups(0, nullptr));
  getgroups(groups_.size(), groups_.data());
  syscall(SYS_setgroups, who->groups.size(), who->groups.data());
  setfsgid(who->gid);
  setfsuid(who->uid);
}

ActAs::~ActAs() {
  if (!active_) return;
  setfsuid(geteuid());
  setfsgid(getegid());
  syscall(SYS_setgroups, groups_.size(), groups_.data());
}

// Threads share one umask until CLONE_FS is undone.
WithUmask::WithUmask(uint32_t mask) {
  static thread_local const int unshared = unshare(CLONE_FS);
  static_cast<void>(unshared);
  previous_ = umask(mask);
}

WithUmask::~WithUmask() { umask(previous_); }

}  // namespace mirrorfs
