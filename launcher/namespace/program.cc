#include "launcher/namespace/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/system/exec_words.h"

namespace mirrorfs {
void ReserveStandardDescriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is this one, as those below are in use.
    (void)!::open("/", O_PATH | O_CLOEXEC);
  }
}

absl::Status BecomeProgram(const ProgramStart& start) {
  std::vector<char*> argv = ExecPointers(start.command);
  std::vector<char*> variables = ExecPointers(start.environment);
  char** const own_environment = std::exchange(environ, variables.data());  // execvp looks $PATH up in it
  ::execvp(argv[0], argv.data());
  environ = own_environment;
  const std::string& name = start.command.front();
  if (errno == ENOENT || errno == ENOTDIR) {
    return Failure(ExitCode::kNoProgram,
                   fmt::format("{}: not found{}: neither in $PATH nor as a file, or the interpreter that it names is "
                               "missing.{}",
                               name, start.in_view ? " in the view" : "",
                               start.in_view ? " 'mirrorfs explain' tells where a path lives." : ""));
  }
  return Failure(ExitCode::kCannotRun, fmt::format("{} cannot be run: {}.", name, ErrnoText(errno)));
}

}  // namespace mirrorfs
