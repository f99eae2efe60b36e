#include "fusefs/daemon/daemon.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "fusefs/daemon/probe.h"
#include "fusefs/daemon/served_view.h"
#include "fusefs/daemon/server_thread.h"
#include "fusefs/daemon/statistics.h"
#include "fusefs/daemon/stop_signals.h"
#include "fusefs/daemon/unmount.h"
#include "protos/shared/errno_status.h"
#include "spdlog/spdlog.h"

namespace mirrorfs {
namespace {

DaemonExit Fail(ControlChannel& control, const std::string& message, DaemonExit exit) {
  spdlog::error("{}", message);
  control.SendFailed(message, exit);
  return exit;
}

std::string Message(const absl::Status& status) { return std::string(status.message()); }

// What the session has told goes into the mount.
MountOptions CompleteMountOptions(const DaemonOptions& options, const SessionFacts& facts) {
  MountOptions mount = options.mount;
  mount.max_read = facts.max_read;
  mount.max_write = facts.max_write;
  mount.max_page = facts.max_page;
  mount.container_uid = facts.identity_uid;
  mount.container_gid = facts.identity_gid;
  mount.shown_uid = ::geteuid();
  mount.shown_gid = ::getegid();
  return mount;
}

nlohmann::json Facts(const SessionFacts& facts) {
  return {{"target", facts.target},
          {"agent_version", facts.agent_version},
          {"identity_uid", facts.identity_uid},
          {"identity_gid", facts.identity_gid}};
}

// Whoever has mounted it where this process cannot see it has to try the first read, too.
absl::Status Probe(const DaemonOptions& options) {
  if (options.mount.IsMountedAlready()) return absl::OkStatus();
  return ProbeMount(options.mount.mountpoint, options.remote.deadline);
}

// Serves while the first read is tried, and goes on if that works.
DaemonExit Serve(const DaemonOptions& options, RemoteSession& remote, FuseSession& fuse, ControlChannel& control) {
  ServerThread server(fuse);
  const StopSignals stop_signals([&] { server.Stop(); });
  if (const absl::Status probed = Probe(options); !probed.ok()) {
    const DaemonExit exit =
        Fail(control, fmt::format("{}: mounted, but {} failed.", options.mount.mountpoint, Message(probed)),
             DaemonExit::kUnreachable);
    TakeBackMount(options.mount.mountpoint);
    return exit;  // the session ends because it is unmounted
  }
  control.SendReady(Facts(remote.Facts()));
  control.Serve([&remote, &fuse, started = absl::Now()] { return CollectStatistics(remote, fuse, started); });
  spdlog::info("{} is mounted on {}", remote.Facts().target, options.mount.mountpoint);
  const absl::Status served = server.Join();
  control.StopServing();
  if (!served.ok()) spdlog::error("the FUSE session ended: {}", Message(served));
  return served.ok() ? DaemonExit::kOk : DaemonExit::kFailed;
}

}  // namespace

DaemonExit RunDaemon(const DaemonOptions& options, ControlChannel& control) {
  auto remote = RemoteSession::Connect(options.remote);
  if (!remote.ok()) return Fail(control, Message(remote.status()), ExitOfConnect(remote.status()));
  const SessionFacts& facts = (*remote)->Facts();
  auto view = ServedView::Make(options, **remote, [&control](const CopyProgress& copy) {
    control.SendEvent("copying", {{"path", copy.path}, {"done", copy.done}, {"size", copy.size}, {"over", copy.over}});
  });
  if (!view.ok()) return Fail(control, Message(view.status()), ExitOfView(view.status()));
  DaemonExit exit = DaemonExit::kFailed;
  {
    auto fuse = FuseSession::Mount((*view)->files(), (*view)->root(), CompleteMountOptions(options, facts));
    if (!fuse.ok()) return Fail(control, Message(fuse.status()), ExitOfMount(fuse.status()));
    exit = Serve(options, **remote, **fuse, control);
  }
  view->reset();  // gives back to the session what it has of it
  (*remote)->Close();
  return exit;
}

}  // namespace mirrorfs
