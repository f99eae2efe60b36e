#include "tests/conformance/runner.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "protos/shared/unique_fd.h"
#include "tests/conformance/box.h"
#include "tests/conformance/fixture.h"

namespace mirrorfs::conformance {
namespace {

constexpr int kTimeLimitMs = 30000;
constexpr int kGraceMs = 3000;
constexpr size_t kManyEntries = 100;
constexpr char kUsed[] = "/cases/.used";

std::string Problem(std::string_view what, const std::string& path) {
  return fmt::format("HARNESS {} {}: {}", what, path, ErrnoName(errno));
}

// Makes sure that the case finds what it expects: lower files that nobody has touched, or an empty directory.
std::string Prepare(const Case& one, const Tree& tree) {
  const std::string cases = tree.path + "/cases";
  const std::string directory = cases + "/" + one.name;
  (void)::mkdir(cases.c_str(), 0755);
  (void)::mkdir((tree.path + kUsed).c_str(), 0755);
  if (one.traits.place == Place::kReadOnly && ::access(directory.c_str(), F_OK) == 0) return {};
  const std::string mark = tree.path + kUsed + ("/" + one.name);
  const bool used = ::access(mark.c_str(), F_OK) == 0;
  const UniqueFd made(::open(mark.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  if (!made) return Problem("cannot mark", mark);
  if (one.traits.place != Place::kFresh && !used && ::access(directory.c_str(), F_OK) == 0) return {};
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (error) return fmt::format("HARNESS cannot clear {}: {}", directory, error.message());
  if (::mkdir(directory.c_str(), 0755) != 0) return Problem("cannot make", directory);
  FillDirectory(directory, one.traits.place);
  return {};
}

bool AwaitEnd(int pidfd, int milliseconds) {
  pollfd end{pidfd, POLLIN, 0};
  return ::poll(&end, 1, milliseconds) == 1;
}

// Runs `act` in a process group of its own, with a limit of time.
void RunLimited(Trace& trace, const std::function<void()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    ::umask(022);
    ::signal(SIGXFSZ, SIG_IGN);
    ::signal(SIGPIPE, SIG_IGN);
    act();
    ::_exit(0);
  }
  ::setpgid(child, child);
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  const bool in_time = AwaitEnd(pidfd.get(), kTimeLimitMs);
  ::kill(-child, SIGKILL);
  if (!in_time) trace.Line("HARNESS the case took longer than 30 s");
  if (!AwaitEnd(pidfd.get(), kGraceMs)) {
    trace.Line("HARNESS the case survives SIGKILL");
    return;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (in_time && status != 0) trace.Line(fmt::format("HARNESS the case ended with status {:#x}", status));
}

void ShowTree(Box& box, const std::string& path) {
  struct stat attributes;
  box.Show(path);
  if (::lstat(path.c_str(), &attributes) != 0) return;
  if (attributes.st_size < (64 << 20) && S_ISREG(attributes.st_mode)) box.Contents(path);
  if (S_ISLNK(attributes.st_mode)) {
    box.Readlink(path);
    return;
  }
  if (S_ISREG(attributes.st_mode) || S_ISDIR(attributes.st_mode)) box.Listxattr(path);
  if (!S_ISDIR(attributes.st_mode)) return;
  std::vector<std::string> names = box.Names(path);
  std::sort(names.begin(), names.end());
  if (names.size() > kManyEntries) return box.List(path);
  for (const std::string& name : names) {
    if (name != "." && name != "..") ShowTree(box, path + "/" + name);
  }
}

void ShowRemains(Trace& trace, const std::string& directory, bool merged, std::string_view title) {
  RunLimited(trace, [&] {
    trace.Line(title);
    Box box(trace, {}, merged);
    if (::chdir(directory.c_str()) != 0) return trace.Line(Problem("cannot enter", directory));
    ShowTree(box, ".");
  });
}

}  // namespace

std::vector<std::string> RunCase(const Case& one, const Tree& tree) {
  Trace trace;
  if (const std::string problem = Prepare(one, tree); !problem.empty()) {
    trace.Line(problem);
    return trace.Lines();
  }
  const std::string name = "/cases/" + one.name;
  const std::string place = (one.traits.place == Place::kReadOnly ? tree.read_only : tree.path) + name;
  const std::string inside = tree.inside.empty() ? std::string() : tree.inside + name;
  const bool merged = one.traits.place != Place::kFresh;
  RunLimited(trace, [&] {
    Box box(trace, inside, merged);
    if (::chdir(place.c_str()) != 0) return trace.Line(Problem("cannot enter", place));
    one.run(box);
  });
  ShowRemains(trace, tree.path + name, merged, "--- what is left");
  ShowRemains(trace, inside.empty() ? tree.path + name : inside, merged, "--- what is left, from inside");
  return trace.Lines();
}

}  // namespace mirrorfs::conformance
