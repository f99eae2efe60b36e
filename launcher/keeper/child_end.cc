#include "launcher/keeper/child_end.h"

#include <string.h>
#include <sys/wait.h>

#include <sstream>

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {

std::string DescribeEnd(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return fmt::format("was killed by signal {} ({})", WTERMSIG(wait_status), ::strsignal(WTERMSIG(wait_status)));
  }
  return fmt::format("ended with exit code {}", WEXITSTATUS(wait_status));
}

ExitCode ExitCodeOfChild(int wait_status) {
  if (!WIFEXITED(wait_status)) return ExitCode::kUnreachable;
  const int code = WEXITSTATUS(wait_status);
  // A wrong command line of ours is our fault, not the user's, unless it says so about the target.
  const bool telling = code >= static_cast<int>(ExitCode::kUsage) && code <= static_cast<int>(ExitCode::kMountPoint);
  return telling ? static_cast<ExitCode>(code) : ExitCode::kUnreachable;
}

absl::Status StartFailure(const std::string& program, int wait_status, const std::string& output) {
  std::string text = output;
  if (const std::string prefix = program + ": "; text.starts_with(prefix)) text.erase(0, prefix.size());
  if (text.empty()) text = fmt::format("{} {} before it was ready.", program, DescribeEnd(wait_status));
  return Failure(ExitCodeOfChild(wait_status), text);
}

absl::Status WithFuseOutput(const absl::Status& status, const std::string& output) {
  std::string message = MessageOf(status);
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("fusermount") || line.starts_with("fuse: ")) message += " (" + line + ")";
  }
  return Failure(ExitCodeOf(status), message);
}

}  // namespace mirrorfs
