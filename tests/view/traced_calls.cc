#include "tests/view/traced_calls.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstdint>

namespace mirrorfs {
namespace {

enum class Then : uint8_t { kGoOn, kSkip, kKill };

// Goes from call to call; `choose` says what happens to each. `error`: what a call that is skipped gives. Returns how
// the child ended, as waitpid has it.
int Step(pid_t child, int error, const std::function<Then(const user_regs_struct&)>& choose) {
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return status;
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD);
  bool skipped = false;
  for (bool entering = true;; entering = !entering) {
    if (ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) != 0) return status;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return status;
    user_regs_struct registers = {};
    if (WSTOPSIG(status) != (SIGTRAP | 0x80) || ptrace(PTRACE_GETREGS, child, nullptr, &registers) != 0) {
      entering = !entering;
      continue;
    }
    if (!entering && skipped) {
      registers.rax = static_cast<unsigned long long>(-error);
      ptrace(PTRACE_SETREGS, child, nullptr, &registers);
      skipped = false;
    }
    if (!entering) continue;
    const Then then = choose(registers);
    if (then == Then::kKill) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return status;
    }
    if (then == Then::kSkip) {
      registers.orig_rax = ~0ULL;
      ptrace(PTRACE_SETREGS, child, nullptr, &registers);
      skipped = true;
    }
  }
}

bool DoAtCall(pid_t child, int calls, int error, Then then, int& status) {
  bool reached = false;
  status = Step(child, error, [&](const user_regs_struct& call) {
    if (!ChangesFiles(call) || calls-- != 0) return Then::kGoOn;
    reached = true;
    return then;
  });
  return reached;
}

}  // namespace

void BeTraced() {
  ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  raise(SIGSTOP);
}

bool ChangesFiles(const user_regs_struct& call) {
  switch (call.orig_rax) {
    case SYS_openat:
      return (call.rdx & O_CREAT) != 0 || (call.rdx & O_TMPFILE) == O_TMPFILE;
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_linkat:
    case SYS_symlinkat:
    case SYS_unlinkat:
    case SYS_mkdirat:
    case SYS_mknodat:
    case SYS_setxattr:
    case SYS_lsetxattr:
    case SYS_fsetxattr:
    case SYS_removexattr:
    case SYS_lremovexattr:
    case SYS_fremovexattr:
    case SYS_chmod:
    case SYS_fchmod:
    case SYS_fchmodat:
    case SYS_chown:
    case SYS_fchown:
    case SYS_fchownat:
    case SYS_utimensat:
    case SYS_ftruncate:
    case SYS_truncate:
    case SYS_pwrite64:
    case SYS_copy_file_range:
    case SYS_fallocate:
      return true;
    default:
      return false;
  }
}

bool KillAtCall(pid_t child, int calls) {
  int status = 0;
  return DoAtCall(child, calls, 0, Then::kKill, status);
}

bool FailAtCall(pid_t child, int calls, int error, int& status) {
  return DoAtCall(child, calls, error, Then::kSkip, status);
}

void WatchCalls(pid_t child, const std::function<void(const user_regs_struct& call)>& look) {
  Step(child, 0, [&](const user_regs_struct& call) {
    look(call);
    return Then::kGoOn;
  });
}

}  // namespace mirrorfs
