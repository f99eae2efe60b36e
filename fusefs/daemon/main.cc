// mirrorfsd: the FUSE daemon of one mount.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <string>

#include "absl/synchronization/mutex.h"
#include "fmt/format.h"
#include "fusefs/daemon/control.h"
#include "fusefs/daemon/daemon.h"
#include "fusefs/daemon/layer_work.h"
#include "fusefs/daemon/options.h"
#include "fusefs/daemon/probe.h"
#include "fusefs/daemon/stop_signals.h"
#include "fusefs/daemon/transfer_work.h"
#include "fusefs/kernel/fuse_log.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace mirrorfs {
namespace {

void SetUpLog(bool verbose) {
  auto logger = spdlog::stderr_logger_mt("mirrorfsd");
  logger->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(logger);
}

int Exit(DaemonExit exit) { return static_cast<int>(exit); }

int Main(int argc, char** argv) {
  auto options = ParseDaemonOptions(argc, argv);
  if (!options.ok()) {
    fmt::print(stderr, "mirrorfsd: {}\n", std::string(options.status().message()));
    return Exit(DaemonExit::kUsage);
  }
  if (options->help) {
    fmt::print("{}", DaemonHelp());
    return Exit(DaemonExit::kOk);
  }
  if (options->version) return std::puts("mirrorfsd " MIRRORFS_VERSION) < 0;
  if (!options->probe.empty()) return RunProbe(options->probe);
  // The packaged gRPC's locks are abseil's, which look for cycles in each order of locking unless told not to.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  ::umask(0);  // the kernel has applied the caller's
  SetUpLog(options->verbose);
  TakeFuseLog();
  BlockStopSignals();
  if (options->control_fd >= 0) ::fcntl(options->control_fd, F_SETFD, FD_CLOEXEC);
  ControlChannel control{UniqueFd(options->control_fd)};
  if (const absl::Status status = ReadSecrets(*options); !status.ok()) {
    control.SendFailed(std::string(status.message()), DaemonExit::kUsage);
    return Exit(DaemonExit::kUsage);
  }
  if (!options->layer_work.empty()) return Exit(RunLayerWork(*options, control));
  if (!options->transfer.empty()) return Exit(RunTransferWork(*options, control));
  return Exit(RunDaemon(*options, control));
}

}  // namespace
}  // namespace mirrorfs

int main(int argc, char** argv) { return mirrorfs::Main(argc, argv); }
