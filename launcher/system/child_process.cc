#include "launcher/system/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/system/exec_words.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

// Above the numbers that they get in the child, so that moving one into place never overwrites one still needed; and
// not far above, as there may be a low limit.
absl::StatusOr<std::vector<UniqueFd>> Park(const std::vector<int>& descriptors) {
  const int first = kFirstChildDescriptor + static_cast<int>(descriptors.size());
  std::vector<UniqueFd> parked;
  for (const int fd : descriptors) {
    parked.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, first));
    if (!parked.back()) return Failure(ExitCode::kFailed, fmt::format("out of file descriptors: {}", ErrnoText(errno)));
  }
  return parked;
}

// posix_spawn's lists fail only for want of memory, and then posix_spawn reports nothing useful either.
void AddFiles(posix_spawn_file_actions_t& actions, const ChildOptions& options, const std::vector<UniqueFd>& parked) {
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    if (options.output >= 0) {
      posix_spawn_file_actions_adddup2(&actions, parked.back().get(), fd);
    } else {
      posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    }
  }
  int next = kFirstChildDescriptor;
  for (size_t i = 0; i < options.descriptors.size(); ++i) {
    posix_spawn_file_actions_adddup2(&actions, parked[i].get(), next++);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, next);
}

void SetAttributes(posix_spawnattr_t& attributes) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
}

}  // namespace

absl::StatusOr<pid_t> StartChild(const ChildOptions& options) {
  std::vector<int> descriptors = options.descriptors;
  if (options.output >= 0) descriptors.push_back(options.output);
  auto parked = Park(descriptors);
  if (!parked.ok()) return parked.status();
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  const absl::Cleanup free_lists = [&] {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  };
  AddFiles(actions, options, *parked);
  SetAttributes(attributes);
  const std::vector<char*> argv = ExecPointers(options.command);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, options.program.c_str(), &actions, &attributes, argv.data(), environ);
  if (error != 0) {
    return Failure(ExitCode::kFailed, fmt::format("{} cannot be started: {}.", options.program, ErrnoText(error)));
  }
  return pid;
}

int Reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace mirrorfs
