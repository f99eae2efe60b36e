// One keeper per run of `mirrorfs exec`: starts the agent, hands the launcher's FUSE connection to the daemon, restarts
// the agent, says on the terminal what dies, and clears everything away when the run's namespace has ended. That is
// when the daemon ends: the kernel closes its connection when the last process has let go of the view. Detached, so
// that it survives whatever becomes of launcher and program.
#ifndef MIRRORFS_LAUNCHER_KEEPER_EXEC_KEEPER_H_
#define MIRRORFS_LAUNCHER_KEEPER_EXEC_KEEPER_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "launcher/keeper/agent_supervisor.h"
#include "launcher/keeper/child_log.h"
#include "launcher/keeper/control_server.h"
#include "launcher/keeper/daemon_runner.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/keeper/terminal_line.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/state/mount_record.h"
#include "launcher/state/state_directory.h"
#include "protos/shared/line_channel.h"
#include "protos/shared/unique_fd.h"
#include "spdlog/logger.h"

namespace mirrorfs {

struct ExecKeeperSetup {
  MountPlan service;       // with the paths of both programs filled in
  std::string run;         // its name: "exec/PID"
  std::string program;     // for people
  pid_t launcher_pid = 0;  // the process that becomes the program
  StatePaths paths;
  UniqueFd lock;          // of the state directory, held
  UniqueFd launcher;      // socket: what is said to the launcher, and the end of it
  UniqueFd fuse;          // socket: the launcher sends the mounted /dev/fuse
  UniqueFd facts;         // where the agent writes what the target's process is like; may be empty
  TerminalLine terminal;  // where to say what dies
};

// Not thread-safe; a process has one.
class ExecKeeper {
 public:
  ExecKeeper(ExecKeeperSetup setup, ChildLog log, spdlog::logger& logger);
  ExecKeeper(const ExecKeeper&) = delete;

  // Until the run has ended, or could not be started (that error). The launcher is told {"ok":true} twice: when the
  // agent is ready and when the daemon serves; or once why it failed.
  absl::Status Run();

 private:
  using Reply = ControlServer::Reply;

  absl::Status Prepare();
  void OnAgentReady();
  void OnProgress(std::string_view step, std::string_view detail);
  void OnAgentChanged();
  void OnLauncher();
  void OnFuse();
  void OnServing();
  void OnDaemonEnded(int wait_status);
  void OnCopying(const CopyStep& step);
  void OnRequest(const nlohmann::json& request, const Reply& reply);
  void Tell(const absl::Status& status);
  void SaveRecord();
  void FailStart(const absl::Status& why);
  void Finish(const absl::Status& result);

  ExecKeeperSetup setup_;
  ChildLog log_;
  spdlog::logger& logger_;
  EventLoop loop_;
  AgentSupervisor agent_;
  DaemonRunner daemon_;
  ControlServer control_;
  std::optional<LineChannel> launcher_;
  MountRecord record_;
  AgentSupervisor::State last_agent_state_ = AgentSupervisor::State::kIdle;
  std::string copied_path_;  // of the file about which there is an unfinished line on the terminal
  bool finished_ = false;
  absl::Status result_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_EXEC_KEEPER_H_
