// One keeper per mount: starts the agent and the daemon, restarts the agent, answers on the control socket, and clears
// everything away at the end. It never unmounts because of an error (P7), only when asked.
#ifndef MIRRORFS_LAUNCHER_KEEPER_KEEPER_H_
#define MIRRORFS_LAUNCHER_KEEPER_KEEPER_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "launcher/keeper/agent_supervisor.h"
#include "launcher/keeper/child_log.h"
#include "launcher/keeper/control_server.h"
#include "launcher/keeper/daemon_runner.h"
#include "launcher/keeper/ending_signals.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/state/mount_record.h"
#include "launcher/state/state_directory.h"
#include "launcher/system/unmount.h"
#include "nlohmann/json.hpp"
#include "protos/shared/unique_fd.h"
#include "spdlog/logger.h"

namespace mirrorfs {

struct KeeperSetup {
  MountPlan plan;  // with the paths of both programs filled in
  StatePaths paths;
  UniqueFd lock;       // of the state directory, held
  UniqueFd directory;  // the mount point, opened
  // Closed by whoever waits for the mount, if he gives up before it is ready. May be empty.
  UniqueFd starter;
};

// Not thread-safe; a process has one.
class Keeper {
 public:
  // `started` is called once: the mount is ready, or why it is not (then nothing is left of it).
  using Started = std::function<void(const absl::Status&)>;
  using Progress = std::function<void(std::string_view step, std::string_view detail)>;  // see progress.h

  Keeper(KeeperSetup setup, ChildLog log, spdlog::logger& logger, Started started, Progress progress);
  Keeper(const Keeper&) = delete;

  // Until the mount is gone, or could not be made (that error).
  absl::Status Run();

 private:
  using Reply = ControlServer::Reply;

  // --- Starting, step by step
  absl::Status Prepare();
  void WatchSignals();
  void StartDaemon();
  void OnMounted(const nlohmann::json& facts);
  void FailStart(const absl::Status& why);
  void ReportStarted(const absl::Status& status);

  // --- While it serves
  void OnDaemonEnded(int wait_status);
  void OnMountTableChange();
  void OnSignal();
  void SaveRecord();

  // --- Requests
  void OnRequest(const nlohmann::json& request, Reply reply);
  nlohmann::json Describe() const;
  void ReplyStats(const Reply& reply);
  void RequestUnmount(UnmountMode mode, bool force, Reply reply);
  void TakeAgentOutOfTheWay();
  void OnUnmounted(const absl::Status& status, UnmountMode mode);

  // --- Ending
  bool IsMounted() const;
  void UncoverMountpoint();
  std::string SettleOwnLayer();
  void Finish(const absl::Status& result);

  KeeperSetup setup_;
  ChildLog log_;
  spdlog::logger& logger_;
  Started started_;
  EventLoop loop_;
  AgentSupervisor agent_;
  DaemonRunner daemon_;
  ControlServer control_;
  MountRecord record_;
  nlohmann::json facts_;
  std::optional<EndingSignals> signals_;
  UniqueFd mount_table_;
  std::vector<Reply> unmount_replies_;
  bool unmounting_ = false;
  bool agent_taken_away_ = false;
  bool unmounted_ = false;  // by request: what is left is to wait for the daemon's end
  bool finished_ = false;
  int interrupts_ = 0;
  absl::Status result_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_KEEPER_H_
