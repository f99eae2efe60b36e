#include "launcher/tunnel/tunnel_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/system/exec_words.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

constexpr int kCannotRun = 127;  // as shells have it

void ResetSignals() {
  struct sigaction plain = {};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In the child, between fork and exec: system calls only.
[[noreturn]] void Become(pid_t parent, int stream, int errors, char* const* argv, char* const* environment) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kCannotRun);
  ::setsid();
  ResetSignals();
  ::dup2(errors, STDERR_FILENO);
  ::dup2(stream, STDIN_FILENO);
  ::dup2(stream, STDOUT_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  ::execve(argv[0], argv, environment);
  ::_exit(kCannotRun);
}

bool IsExecutable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

}  // namespace

absl::StatusOr<pid_t> StartTunnelChild(const TunnelChildOptions& options) {
  if (!IsExecutable(options.command.front())) {
    return Failure(ExitCode::kFailed,
                   fmt::format("{} cannot be started: {}.", options.command.front(), ErrnoText(errno)));
  }
  // Above the numbers that they get.
  const UniqueFd stream(::fcntl(options.stream, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  const UniqueFd errors(
      ::fcntl(options.errors >= 0 ? options.errors : STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!stream || !errors) return Failure(ExitCode::kFailed, fmt::format("out of descriptors: {}.", ErrnoText(errno)));
  const std::vector<std::string> environment = EnvironmentWith(options.variables);
  const std::vector<char*> argv = ExecPointers(options.command);
  const std::vector<char*> variables = ExecPointers(environment);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();  // posix_spawn knows no way to be told of the parent's death
  if (pid < 0) return Failure(ExitCode::kFailed, fmt::format("fork: {}.", ErrnoText(errno)));
  if (pid == 0) Become(parent, stream.get(), errors.get(), argv.data(), variables.data());
  return pid;
}

void KillTunnelChild(pid_t pid) {
  // The group is not there before the child has come to setsid.
  if (::kill(-pid, SIGKILL) != 0) ::kill(pid, SIGKILL);
}

void KillLeftBehind(pid_t pid) { ::kill(-pid, SIGKILL); }

absl::StatusOr<std::string> FindInPath(const std::string& name, const char* variable) {
  if (const char* given = std::getenv(variable); given != nullptr && *given != '\0') {
    if (IsExecutable(given)) return std::string(given);
    return Failure(ExitCode::kUnreachable, fmt::format("{}={} cannot be run: {}.", variable, given, ErrnoText(errno)));
  }
  const char* path = std::getenv("PATH");
  const std::vector<std::string> directories = absl::StrSplit(path == nullptr ? "" : path, ':', absl::SkipEmpty());
  for (const std::string& directory : directories) {
    std::string candidate = fmt::format("{}/{}", directory, name);
    if (IsExecutable(candidate)) return candidate;
  }
  return Failure(ExitCode::kUnreachable,
                 fmt::format("{0} is not in $PATH: the agent is started through it. Install it, or name it by {1}.",
                             name, variable));
}

}  // namespace mirrorfs
