#include "launcher/commands/mount_command.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "fmt/format.h"
#include "launcher/agentmodes/settle_target.h"
#include "launcher/commands/help.h"
#include "launcher/control_client.h"
#include "launcher/failure.h"
#include "launcher/keeper/keeper_process.h"
#include "launcher/layers/layer_store.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/plan/service_arguments.h"
#include "launcher/state/clean_up.h"
#include "launcher/state/known_mounts.h"
#include "launcher/system/mount_point.h"
#include "launcher/system/mount_table.h"
#include "launcher/system/programs.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kUnmountLimit = absl::Seconds(30);

absl::Status AlreadyMounted(const KnownMount& mount) {
  const MountRecord& record = mount.record;
  if (mount.state == MountState::kDetached) {
    return Failure(ExitCode::kMountPoint,
                   fmt::format("mount point {}: the mount of {} that was detached there is still in use; it goes when "
                               "its last user does.",
                               record.mountpoint, record.target));
  }
  return Failure(ExitCode::kMountPoint,
                 fmt::format("mount point {}: {} is already mounted there ({}). Unmount it first: mirrorfs umount {}",
                             record.mountpoint, record.target, ToWord(mount.state), record.mountpoint));
}

bool IsDead(MountState state) { return state == MountState::kDaemonDead || state == MountState::kDead; }

// A mount there whose daemon has died is cleared away; one that lives is an error.
absl::Status ClearDeadMount(const std::string& base, const std::string& mountpoint) {
  const StatePaths paths = PathsOfMountpoint(base, mountpoint);
  const auto known = FindMount(base, mountpoint);
  if (!known || known->paths.directory != paths.directory) return absl::OkStatus();
  if (!IsDead(known->state)) return AlreadyMounted(*known);
  if (known->state == MountState::kDead) return absl::OkStatus();  // for whoever has the lock
  return AskKeeper(paths.control_socket, {{"request", "umount"}, {"lazy", true}}, kUnmountLimit).status();
}

// With the lock held: what a keeper has left that is gone.
absl::Status ClearLeftovers(const StatePaths& paths, const std::string& mountpoint) {
  auto record = ReadRecord(paths.record);
  if (record.ok()) {
    const KnownMount mount{.paths = paths, .record = *std::move(record), .state = MountState::kDead};
    if (IsAlive(mount.record.daemon)) return AlreadyMounted(mount);
    return CleanUp(mount, UnmountMode::kLazy);
  }
  const auto row = MountAt(ReadMountTable(), mountpoint);
  if (!row || !row->IsMirrorfs()) return absl::OkStatus();
  struct stat attributes;
  if (::lstat(mountpoint.c_str(), &attributes) == 0 || errno != ENOTCONN) {
    return Failure(ExitCode::kMountPoint, fmt::format("mount point {}: {} is already mounted there. Unmount it first: "
                                                      "mirrorfs umount {}",
                                                      mountpoint, row->source, mountpoint));
  }
  return CleanUpUnrecorded(mountpoint, UnmountMode::kLazy);
}

// The state directory, locked, with nothing of an earlier mount in it.
absl::StatusOr<UniqueFd> TakeState(const StatePaths& paths, const std::string& mountpoint) {
  while (true) {
    ASSIGN_OR_RETURN(auto lock, LockState(paths));
    if (!lock) {
      return Failure(ExitCode::kMountPoint,
                     fmt::format("mount point {}: it is being mounted or unmounted right now.", mountpoint));
    }
    struct stat directory;
    RETURN_IF_ERROR(ClearLeftovers(paths, mountpoint));
    // Clearing removes the directory with the lock in it: taken anew then.
    if (::stat(paths.lock.c_str(), &directory) == 0) return *std::move(lock);
  }
}

absl::StatusOr<KeeperSetup> PrepareSetup(MountPlan plan, const Invoker& invoker) {
  RETURN_IF_ERROR(SettleTarget(plan));
  RETURN_IF_ERROR(FindPrograms(invoker, plan));
  RETURN_IF_ERROR(CheckFuse(invoker.IsRoot()));
  if (plan.AllowsOthers()) RETURN_IF_ERROR(CheckAllowOther(invoker.IsRoot()));
  ASSIGN_OR_RETURN(plan.mountpoint, PhysicalPath(plan.mountpoint));
  if (plan.private_layer) {
    ASSIGN_OR_RETURN(plan.layer_directory, ChooseLayer(invoker, plan.layer_name, plan.target));
  }
  const std::string base = StateBasePath(invoker);
  RETURN_IF_ERROR(ClearDeadMount(base, plan.mountpoint));
  StatePaths paths = PathsOfMountpoint(base, plan.mountpoint);
  ASSIGN_OR_RETURN(UniqueFd lock, TakeState(paths, plan.mountpoint));
  auto directory = OpenMountPoint({.path = plan.mountpoint,
                                   .nonempty = plan.nonempty,
                                   .make_directory = plan.make_directory,
                                   .root = invoker.IsRoot()});
  if (!directory.ok()) {
    RemoveState(paths);
    return directory.status();
  }
  return KeeperSetup{.plan = std::move(plan),
                     .paths = std::move(paths),
                     .lock = std::move(lock),
                     .directory = *std::move(directory),
                     .starter = UniqueFd()};
}

absl::Status PrintManifest(const MountPlan& plan) {
  ASSIGN_OR_RETURN(const std::string manifest, ManifestFor(plan));
  fmt::print("{}\n", manifest);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunMount(absl::Span<const std::string> words, MountCaller caller, const Invoker& invoker) {
  ASSIGN_OR_RETURN(MountArguments arguments, ParseMountArguments(words, caller));
  if (arguments.help) return PrintHelp("mount");
  ASSIGN_OR_RETURN(arguments, WithSettings(std::move(arguments), CurrentEnvironment(), invoker));
  ASSIGN_OR_RETURN(const MountPlan plan, MakeMountPlan(arguments, invoker));
  if (arguments.fake) return absl::OkStatus();
  if (arguments.dry_run) return PrintManifest(plan);
  ASSIGN_OR_RETURN(KeeperSetup setup, PrepareSetup(plan, invoker));
  if (plan.foreground) return RunKeeperInForeground(std::move(setup));
  return StartKeeper(std::move(setup));
}

}  // namespace mirrorfs
