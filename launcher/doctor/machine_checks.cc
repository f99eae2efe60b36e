#include "launcher/doctor/machine_checks.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/agentmodes/agent_image.h"
#include "launcher/namespace/own_namespace.h"
#include "launcher/plan/target_spec.h"
#include "launcher/split_text.h"
#include "launcher/state/known_mounts.h"
#include "launcher/system/captured_command.h"
#include "launcher/system/mount_point.h"
#include "launcher/system/mount_table.h"
#include "launcher/system/programs.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kProgramLimit = absl::Seconds(10);

// The system calls themselves are tried: kernels of distributions have more than their version says, and containers
// less.
absl::Status CheckKernel(const utsname& kernel) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const UniqueFd here(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how)));
  const int error = errno;
  const UniqueFd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (here && self) return absl::OkStatus();
  return Failure(ExitCode::kFailed,
                 fmt::format("Linux {}: {} gives {}. A kernel of version 5.6 or newer is needed for "
                             "containers of this machine; in a container, its seccomp profile may "
                             "forbid the call.",
                             kernel.release, here ? "pidfd_open" : "openat2", ErrnoText(here ? errno : error)));
}

// What runs of programs do first, done by a child: there is no way back from it.
absl::Status CheckNamespaces(const Invoker& invoker) {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return LastErrno("pipe2");
  const UniqueFd answer(ends[0]);
  UniqueFd childs_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return LastErrno("fork");
  if (child == 0) {
    const absl::Status entered =
        EnterOwnNamespace(invoker.IsRoot() ? NamespaceKind::kMount : NamespaceKind::kUserAndMount);
    const std::string why = MessageOf(entered);
    const bool told = ::write(childs_end.get(), why.data(), why.size()) == static_cast<ssize_t>(why.size());
    ::_exit(told ? static_cast<int>(ExitCodeOf(entered)) : static_cast<int>(ExitCode::kFailed));
  }
  childs_end.reset();
  std::array<char, 2048> why;
  const ssize_t size = ::read(answer.get(), why.data(), why.size());
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status == 0) return absl::OkStatus();
  return Failure(WIFEXITED(status) ? static_cast<ExitCode>(WEXITSTATUS(status)) : ExitCode::kFailed,
                 std::string(why.data(), size < 0 ? 0 : static_cast<size_t>(size)));
}

absl::StatusOr<std::string> OutputOf(const std::string& program, const std::string& option) {
  ASSIGN_OR_RETURN(
      CapturedEnd end,
      RunCaptured(
          {.program = program, .command = {program, option}, .variables = {}, .input = {}, .limit = kProgramLimit}));
  if (end.Succeeded()) return std::move(end.output);
  const std::string why(absl::StripAsciiWhitespace(end.errors));
  return Failure(ExitCode::kUnreachable,
                 fmt::format("{} {} does not work{}{}", program, option, why.empty() ? "." : ": ", why));
}

absl::Status CheckVersion(const std::string& program) {
  ASSIGN_OR_RETURN(const std::string text, OutputOf(program, "--version"));
  const std::string said(absl::StripAsciiWhitespace(text));
  const std::string version = said.substr(said.rfind(' ') + 1);
  if (version == OwnVersion()) return absl::OkStatus();
  return Failure(ExitCode::kUnreachable, fmt::format("{} is of version {}, and this is mirrorfs {}. Install all of it "
                                                     "anew (make install).",
                                                     program, version, OwnVersion()));
}

absl::Status CheckPrograms(const Invoker& invoker, MountPlan& plan) {
  ASSIGN_OR_RETURN(plan.daemon_path, FindProgram("mirrorfsd", plan.daemon_path, invoker.executable_directory));
  ASSIGN_OR_RETURN(plan.agent_path, FindProgram("mirrorfs-agent", plan.agent_path, invoker.executable_directory));
  RETURN_IF_ERROR(CheckVersion(plan.daemon_path));
  return CheckVersion(plan.agent_path);
}

// Made and removed as for a mount.
absl::Status CheckStateDirectory(const std::string& base) {
  const StatePaths paths = PathsOfId(base, fmt::format("doctor-{}", ::getpid()));
  ASSIGN_OR_RETURN(const auto lock, LockState(paths));
  if (lock) RemoveState(paths);
  return absl::OkStatus();
}

bool IsDead(MountState state) {
  return state == MountState::kDaemonDead || state == MountState::kDead || state == MountState::kKeeperDead ||
         state == MountState::kKeeperHangs;
}

// What is left of mounts whose programs have died: with a record, or only seen by the kernel.
absl::Status CheckLeftovers(const std::string& base) {
  std::vector<std::string> dead;
  std::vector<std::string> known;
  for (const KnownMount& mount : ListMounts(base)) {
    known.push_back(mount.record.mountpoint);
    if (IsDead(mount.state)) dead.push_back(fmt::format("{} ({})", mount.record.mountpoint, ToWord(mount.state)));
  }
  for (const MountRow& row : ReadMountTable()) {
    struct stat attributes;
    const bool is_known = std::find(known.begin(), known.end(), row.mountpoint) != known.end();
    if (is_known || !row.IsMirrorfs() || ::lstat(row.mountpoint.c_str(), &attributes) == 0 || errno != ENOTCONN) {
      continue;
    }
    dead.push_back(fmt::format("{} (daemon dead)", row.mountpoint));
  }
  if (dead.empty()) return absl::OkStatus();
  return Failure(ExitCode::kFailed, fmt::format("dead: {}. Unmount it: mirrorfs umount {}", absl::StrJoin(dead, ", "),
                                                dead.front().substr(0, dead.front().rfind(" ("))));
}

// The agent says them: it is who asks runtimes. Those that are not there are no fault.
void CheckRuntimes(const MountPlan& plan, const CheckReport& report) {
  const auto text = OutputOf(plan.agent_path, "--runtime-sockets");
  if (!text.ok()) return report(Judge("runtimes", text.status(), "", CheckResult::kWarning));
  std::vector<std::string> answering;
  for (std::string_view line : SplitText(*text, '\n')) {
    const std::string_view runtime = line.substr(0, line.find(' '));
    if (!SkipPrefix(line, runtime) || !SkipPrefix(line, " ")) continue;
    if (SkipPrefix(line, "answers ")) answering.push_back(fmt::format("{} ({})", runtime, line));
    if (SkipPrefix(line, "refuses ")) {
      report({.subject = "runtimes",
              .result = CheckResult::kWarning,
              .text = fmt::format("{}.", line),
              .code = ExitCode::kNotPermitted});
    }
  }
  report({.subject = "runtimes",
          .result = CheckResult::kOk,
          .text = answering.empty() ? "none of Docker, podman, containerd and CRI answers on this machine"
                                    : absl::StrJoin(answering, ", "),
          .code = ExitCode::kOk});
}

}  // namespace

void CheckMachine(const Invoker& invoker, MountPlan& plan, const CheckReport& report) {
  utsname kernel = {};
  ::uname(&kernel);
  report(Judge("kernel", CheckKernel(kernel), fmt::format("Linux {} {}", kernel.release, kernel.machine),
               plan.IsInCluster() ? CheckResult::kWarning : CheckResult::kFailed));
  report(Judge(
      "FUSE", CheckFuse(invoker.IsRoot()),
      invoker.IsRoot() ? "/dev/fuse can be opened" : "/dev/fuse can be opened, " + FindFusermount() + " is there"));
  report(Judge(
      "namespaces", CheckNamespaces(invoker),
      invoker.IsRoot() ? "mount namespaces can be made (exec, shell)" : "user namespaces can be made (exec, shell)",
      CheckResult::kWarning));
  const absl::Status programs = CheckPrograms(invoker, plan);
  report(Judge("programs", programs,
               fmt::format("{} and {} are of version {}", plan.daemon_path, plan.agent_path, OwnVersion())));
  const std::string base = StateBasePath(invoker);
  report(Judge("state", CheckStateDirectory(base), fmt::format("{} can be written", base)));
  report(Judge("mounts", CheckLeftovers(base), "no dead ones", CheckResult::kWarning));
  if (!plan.agent_path.empty()) CheckRuntimes(plan, report);
}

void CheckMountPoint(const Invoker& invoker, const std::string& directory, const CheckReport& report) {
  const auto check = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::string path, PhysicalPath(AbsolutePath(directory, invoker.working_directory)));
    if (const auto row = MountAt(ReadMountTable(), path); row && row->IsMirrorfs()) {
      return Failure(ExitCode::kMountPoint,
                     fmt::format("{} is mounted there already. Unmount it: mirrorfs umount {}", row->source, path));
    }
    return OpenMountPoint({.path = path, .nonempty = false, .make_directory = false, .root = invoker.IsRoot()})
        .status();
  };
  report(Judge("mount point", check(), fmt::format("{} will do", directory)));
}

}  // namespace mirrorfs
