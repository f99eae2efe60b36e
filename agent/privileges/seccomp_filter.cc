#include "agent/privileges/seccomp_filter.h"

#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

struct FilterRelease {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterRelease>;

// Files: what the rooted file system does. open_by_handle_at is not here: it would lead out of the root.
constexpr std::array kFileCalls = {"access",
                                   "chdir",
                                   "close",
                                   "close_range",
                                   "copy_file_range",
                                   "dup",
                                   "dup2",
                                   "dup3",
                                   "faccessat",
                                   "faccessat2",
                                   "fadvise64",
                                   "fallocate",
                                   "fchdir",
                                   "fchmod",
                                   "fchmodat",
                                   "fchmodat2",
                                   "fchown",
                                   "fchownat",
                                   "fcntl",
                                   "fdatasync",
                                   "fgetxattr",
                                   "flistxattr",
                                   "flock",
                                   "fremovexattr",
                                   "fsetxattr",
                                   "fstat",
                                   "fstatfs",
                                   "fsync",
                                   "ftruncate",
                                   "getcwd",
                                   "getdents64",
                                   "getxattr",
                                   "getxattrat",
                                   "inotify_add_watch",
                                   "inotify_init1",
                                   "inotify_rm_watch",
                                   "lgetxattr",
                                   "linkat",
                                   "listxattr",
                                   "listxattrat",
                                   "llistxattr",
                                   "lremovexattr",
                                   "lseek",
                                   "lsetxattr",
                                   "lstat",
                                   "mkdirat",
                                   "mknodat",
                                   "name_to_handle_at",
                                   "newfstatat",
                                   "open",
                                   "openat",
                                   "openat2",
                                   "pread64",
                                   "preadv",
                                   "preadv2",
                                   "pwrite64",
                                   "pwritev",
                                   "pwritev2",
                                   "read",
                                   "readahead",
                                   "readlink",
                                   "readlinkat",
                                   "readv",
                                   "removexattr",
                                   "removexattrat",
                                   "rename",
                                   "renameat",
                                   "renameat2",
                                   "sendfile",
                                   "setxattr",
                                   "setxattrat",
                                   "stat",
                                   "statfs",
                                   "statx",
                                   "symlinkat",
                                   "sync_file_range",
                                   "truncate",
                                   "umask",
                                   "unlink",
                                   "unlinkat",
                                   "utimensat",
                                   "write",
                                   "writev"};

// Threads, memory, time, signals.
constexpr std::array kProcessCalls = {"arch_prctl",
                                      "brk",
                                      "capget",
                                      "clock_getres",
                                      "clock_gettime",
                                      "clock_nanosleep",
                                      "exit",
                                      "exit_group",
                                      "futex",
                                      "futex_waitv",
                                      "getcpu",
                                      "getegid",
                                      "geteuid",
                                      "getgid",
                                      "getgroups",
                                      "getpgrp",
                                      "getpid",
                                      "getppid",
                                      "getrandom",
                                      "getresgid",
                                      "getresuid",
                                      "getrlimit",
                                      "getrusage",
                                      "gettid",
                                      "gettimeofday",
                                      "getuid",
                                      "get_robust_list",
                                      "madvise",
                                      "membarrier",
                                      "mremap",
                                      "munmap",
                                      "nanosleep",
                                      "pidfd_open",
                                      "restart_syscall",
                                      "rseq",
                                      "rt_sigaction",
                                      "rt_sigpending",
                                      "rt_sigprocmask",
                                      "rt_sigreturn",
                                      "rt_sigsuspend",
                                      "rt_sigtimedwait",
                                      "sched_getaffinity",
                                      "sched_getparam",
                                      "sched_getscheduler",
                                      "sched_yield",
                                      "set_robust_list",
                                      "set_tid_address",
                                      "sigaltstack",
                                      "sysinfo",
                                      "time",
                                      "uname"};

// What makes a worker thread act as somebody: never more than the permitted set, which is already small.
constexpr std::array kCredentialCalls = {"capset", "setfsgid", "setfsuid", "setgroups"};

// Connections. connect is not here: the agent is called, it calls nobody.
constexpr std::array kConnectionCalls = {
    "accept",     "accept4",    "bind",        "epoll_create1", "epoll_ctl",      "epoll_pwait",     "epoll_pwait2",
    "epoll_wait", "eventfd2",   "getpeername", "getsockname",   "getsockopt",     "listen",          "pipe2",
    "poll",       "ppoll",      "pselect6",    "recvfrom",      "recvmsg",        "select",          "sendmsg",
    "sendto",     "setsockopt", "shutdown",    "signalfd4",     "timerfd_create", "timerfd_gettime", "timerfd_settime"};

absl::Status LibseccompStatus(int result, std::string_view what) {
  if (result == 0) return absl::OkStatus();
  return ErrnoStatus(-result, fmt::format("seccomp: {}", what));
}

template <typename... Comparisons>
absl::Status Allow(const Filter& filter, const char* name, Comparisons... comparisons) {
  const int number = seccomp_syscall_resolve_name(name);
  // Unknown to this libseccomp (a newer kernel's call): it stays forbidden, and its users fall back on EPERM.
  if (number == __NR_SCMP_ERROR) return absl::OkStatus();
  return LibseccompStatus(
      seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, number, sizeof...(comparisons), comparisons...), name);
}

template <size_t kCount>
absl::Status AllowAll(const Filter& filter, const std::array<const char*, kCount>& names) {
  for (const char* name : names) RETURN_IF_ERROR(Allow(filter, name));
  return absl::OkStatus();
}

scmp_arg_cmp HasBits(unsigned argument, uint64_t mask, uint64_t value) {
  return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, mask, value};
}

scmp_arg_cmp Equals(unsigned argument, uint64_t value) { return scmp_arg_cmp{argument, SCMP_CMP_EQ, value, 0}; }

// Threads may be made, processes not. clone3 hides its flags behind a pointer, so glibc is made to fall back to clone.
absl::Status AllowThreads(const Filter& filter) {
  RETURN_IF_ERROR(Allow(filter, "clone", HasBits(0, CLONE_THREAD, CLONE_THREAD)));
  RETURN_IF_ERROR(
      LibseccompStatus(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3"));
  RETURN_IF_ERROR(Allow(filter, "unshare", Equals(0, CLONE_FS)));
  RETURN_IF_ERROR(Allow(filter, "tgkill", Equals(0, static_cast<uint64_t>(::getpid()))));
  // Limits of this process only.
  return Allow(filter, "prlimit64", Equals(0, 0));
}

absl::Status AllowMemory(const Filter& filter) {
  RETURN_IF_ERROR(Allow(filter, "mmap", HasBits(2, PROT_EXEC, 0)));
  return Allow(filter, "mprotect", HasBits(2, PROT_EXEC, 0));
}

absl::Status AllowSockets(const Filter& filter) {
  RETURN_IF_ERROR(Allow(filter, "socket", Equals(0, AF_UNIX)));
  return Allow(filter, "socketpair", Equals(0, AF_UNIX));
}

absl::Status AllowSelected(const Filter& filter) {
  for (int operation :
       {PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_GET_SECUREBITS, PR_GET_NO_NEW_PRIVS, PR_SET_VMA}) {
    RETURN_IF_ERROR(Allow(filter, "prctl", Equals(0, static_cast<uint64_t>(operation))));
  }
  for (unsigned long request : {FIONREAD, FIONBIO, TCGETS}) {  // NOLINT(google-runtime-int): ioctl's type
    RETURN_IF_ERROR(Allow(filter, "ioctl", Equals(1, request)));
  }
  return absl::OkStatus();
}

absl::Status Configure(const Filter& filter) {
  RETURN_IF_ERROR(
      LibseccompStatus(seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "arch"));
  RETURN_IF_ERROR(LibseccompStatus(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1), "tsync"));
  // A binary tree: the list is long, and read and write are asked about in every call.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_LOG, 1);
  return absl::OkStatus();
}

}  // namespace

absl::Status InstallSeccompFilter() {
  Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (filter == nullptr) return absl::InternalError("seccomp: no filter could be made");
  RETURN_IF_ERROR(Configure(filter));
  RETURN_IF_ERROR(AllowAll(filter, kFileCalls));
  RETURN_IF_ERROR(AllowAll(filter, kProcessCalls));
  RETURN_IF_ERROR(AllowAll(filter, kCredentialCalls));
  RETURN_IF_ERROR(AllowAll(filter, kConnectionCalls));
  RETURN_IF_ERROR(AllowThreads(filter));
  RETURN_IF_ERROR(AllowMemory(filter));
  RETURN_IF_ERROR(AllowSockets(filter));
  RETURN_IF_ERROR(AllowSelected(filter));
  return LibseccompStatus(seccomp_load(filter.get()), "the filter cannot be loaded");
}

}  // namespace mirrorfs
