#include "agent/target/command_output.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "agent/target/child_process.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(30);

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& arguments, int output) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  absl::Cleanup release = [&actions] { ::posix_spawn_file_actions_destroy(&actions); };
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  if (error == 0) return pid;
  return absl::UnavailableError(
      fmt::format("{} cannot be run: {}", arguments.front(), std::generic_category().message(error)));
}

}  // namespace

absl::StatusOr<std::string> CommandOutput(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends = {};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return LastErrno("pipe2");
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  ASSIGN_OR_RETURN(const pid_t pid, Spawn(arguments, write_end.get()));
  ChildProcess child(pid, std::move(read_end));
  write_end.reset();
  auto output = child.ReadOutput(kLimit);
  const std::string command = fmt::format("{}", fmt::join(arguments, " "));
  if (absl::IsDeadlineExceeded(output.status())) {
    return absl::UnavailableError(fmt::format("\"{}\" does not end", command));
  }
  RETURN_IF_ERROR(output.status());
  ASSIGN_OR_RETURN(const int status, child.Wait());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  return absl::UnavailableError(fmt::format("\"{}\" failed", command));
}

}  // namespace mirrorfs
