#include "launcher/commands/umount_command.h"

#include <cstdio>
#include <vector>

#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/control_client.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/plan/command_line.h"
#include "launcher/plan/target_spec.h"
#include "launcher/state/clean_up.h"
#include "launcher/state/known_mounts.h"
#include "launcher/state/run_state.h"
#include "launcher/system/mount_point.h"
#include "launcher/system/mount_table.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

// The keeper answers when all is cleared away: daemon, agent, files.
constexpr absl::Duration kKeeperLimit = absl::Seconds(60);

struct UmountArguments {
  std::vector<std::string> mountpoints;
  bool all = false;
  bool lazy = false;
  bool force = false;
  bool help = false;

  UnmountMode Mode() const { return lazy ? UnmountMode::kLazy : UnmountMode::kPlain; }
};

absl::StatusOr<UmountArguments> Parse(absl::Span<const std::string> words) {
  UmountArguments arguments;
  po::options_description options;
  auto add = options.add_options();
  add("mountpoint", po::value(&arguments.mountpoints));
  add("all,a", po::bool_switch(&arguments.all));
  add("lazy,l", po::bool_switch(&arguments.lazy));
  add("force,f", po::bool_switch(&arguments.force));
  add("help,h", po::bool_switch(&arguments.help));
  po::positional_options_description positional;
  positional.add("mountpoint", -1);
  RETURN_IF_ERROR(ParseCommandLine("umount", words, options, positional));
  if (!arguments.help && arguments.all == !arguments.mountpoints.empty()) {
    return Failure(ExitCode::kUsage,
                   "umount: say which mount point, or --all. Usage: mirrorfs umount [-l] [-f] DIR | --all");
  }
  return arguments;
}

absl::Status CleanUpWithoutKeeper(const KnownMount& mount, const UmountArguments& arguments) {
  if (arguments.force) {
    AbortConnection(mount.record.mountpoint);
    EndProcess(mount.record.keeper, absl::Seconds(1));
    EndProcess(mount.record.daemon, absl::Seconds(1));
  }
  ASSIGN_OR_RETURN(const auto lock, LockState(mount.paths));
  if (!lock) {
    return Failure(ExitCode::kUnreachable, fmt::format("{}: its keeper (pid {}) does not answer. --force ends it.",
                                                       mount.record.mountpoint, mount.record.keeper.pid));
  }
  return CleanUp(mount, arguments.Mode());
}

absl::Status UnmountKnown(const KnownMount& mount, const UmountArguments& arguments) {
  const nlohmann::json request = {{"request", "umount"}, {"lazy", arguments.lazy}, {"force", arguments.force}};
  const auto answer = AskKeeper(mount.paths.control_socket, request, kKeeperLimit);
  if (answer.ok() && answer->contains("note")) fmt::print("{}\n", TextField(*answer, "note"));
  if (answer.ok() || ExitCodeOf(answer.status()) != ExitCode::kUnreachable) return answer.status();
  return CleanUpWithoutKeeper(mount, arguments);
}

absl::Status UnmountOne(const std::string& given, const std::string& base, const UmountArguments& arguments,
                        const Invoker& invoker) {
  if (const auto run = FindRun(base, given)) {
    return Failure(ExitCode::kBusy,
                   fmt::format("{} is a run of a program ({}): it ends when that does.", given, run->record.program));
  }
  const auto found = PhysicalPath(AbsolutePath(given, invoker.working_directory));
  if (!found.ok()) return IsRunName(given) ? NoSuchRun(given) : found.status();
  const std::string& mountpoint = *found;
  if (const auto known = FindMount(base, mountpoint)) return UnmountKnown(*known, arguments);
  const auto row = MountAt(ReadMountTable(), mountpoint);
  if (row && row->IsMirrorfs()) {
    if (arguments.force) AbortConnection(mountpoint);
    return CleanUpUnrecorded(mountpoint, arguments.Mode());
  }
  return Failure(ExitCode::kNotMounted, fmt::format("{} is not a mount point of mirrorfs{}.", mountpoint,
                                                    row ? fmt::format(" ({} is mounted there)", row->source) : ""));
}

// Goes through all of them, and gives the first failure; the others are printed.
class Outcome {
 public:
  void Add(const absl::Status& status) {
    if (status.ok()) return;
    if (!first_.ok()) fmt::print(stderr, "mirrorfs: {}\n", MessageOf(status));
    first_.Update(status);
  }
  const absl::Status& First() const { return first_; }

 private:
  absl::Status first_;
};

}  // namespace

absl::Status RunUmount(absl::Span<const std::string> words, const Invoker& invoker) {
  ASSIGN_OR_RETURN(const UmountArguments arguments, Parse(words));
  if (arguments.help) return PrintHelp("umount");
  const std::string base = StateBasePath(invoker);
  Outcome outcome;
  if (arguments.all) {
    for (const KnownMount& mount : ListMounts(base)) {
      if (!mount.record.IsRun()) outcome.Add(UnmountKnown(mount, arguments));  // a run ends with its program
    }
  }
  for (const std::string& mountpoint : arguments.mountpoints) {
    outcome.Add(UnmountOne(mountpoint, base, arguments, invoker));
  }
  return outcome.First();
}

}  // namespace mirrorfs
