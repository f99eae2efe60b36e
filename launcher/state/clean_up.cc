#include "launcher/state/clean_up.h"

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/layers/layer_store.h"
#include "launcher/system/holders.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// The daemon has that long to send off what is still on its way once it is unmounted.
constexpr absl::Duration kDaemonEndLimit = absl::Seconds(15);
constexpr absl::Duration kGrace = absl::Seconds(3);

}  // namespace

absl::Status CleanUp(const KnownMount& mount, UnmountMode mode) {
  const MountRecord& record = mount.record;
  const bool elsewhere = record.mount_namespace != CurrentMountNamespace();
  if (elsewhere && IsAlive(record.daemon)) {
    return Failure(ExitCode::kFailed,
                   fmt::format("{} was mounted in another mount namespace ({}), and its keeper is gone. Enter it: "
                               "nsenter -t {} -m mirrorfs umount {}",
                               record.mountpoint, record.mount_namespace, record.daemon.pid, record.mountpoint));
  }
  // An agent that serves a directory in which the mount itself lies may have walked into it.
  if (record.agent.pid != 0 && IsHeldBy(record.agent.pid, record.mountpoint)) EndProcess(record.agent, kGrace);
  if (!elsewhere) {
    RETURN_IF_ERROR(UnmountFuse(record.mountpoint, mode));
    RETURN_IF_ERROR(Uncover(record.mountpoint, record.cover));
  }
  if (mode == UnmountMode::kPlain) WaitForEnd(record.daemon, kDaemonEndLimit);
  // Detached and in use, it would serve on; without its keeper nobody would clear it away later.
  EndProcess(record.daemon, kGrace);
  EndProcess(record.agent, kGrace);
  // Where there are changes, 'mirrorfs layers' lists it.
  if (!record.layer.empty()) static_cast<void>(SettleLayer(record.layer));
  RemoveState(mount.paths);
  return absl::OkStatus();
}

absl::Status CleanUpUnrecorded(const std::string& mountpoint, UnmountMode mode) {
  RETURN_IF_ERROR(UnmountFuse(mountpoint, mode));
  return Uncover(mountpoint, MountCover{.tmpfs = true, .directory_mode = -1});
}

}  // namespace mirrorfs
