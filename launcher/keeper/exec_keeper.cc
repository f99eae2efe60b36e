#include "launcher/keeper/exec_keeper.h"

#include <fcntl.h>
#include <poll.h>

#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/child_end.h"
#include "launcher/keeper/layer_note.h"
#include "launcher/keeper/progress.h"
#include "launcher/keeper/upkeep.h"
#include "launcher/namespace/fd_passing.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
ExecKeeper::ExecKeeper(ExecKeeperSetup setup, ChildLog log, spdlog::logger& logger)
    : setup_(std::move(setup)),
      log_(std::move(log)),
      logger_(logger),
      agent_(loop_, logger, setup_.service, setup_.paths.agent_socket, log_,
             {.ready = [this] { OnAgentReady(); },
              .failed = [this](const absl::Status& why) { FailStart(why); },
              .changed = [this] { OnAgentChanged(); },
              .progress = [this](std::string_view step, std::string_view detail) { OnProgress(step, detail); }}),
      daemon_(loop_, logger, setup_.service, log_,
              {.ready = [this](const nlohmann::json&) { OnServing(); },
               .failed = [this](const absl::Status& why) { FailStart(why); },
               .ended = [this](int wait_status) { OnDaemonEnded(wait_status); },
               .copying = [this](const CopyStep& step) { OnCopying(step); }}),
      control_(loop_, [this](const nlohmann::json& request, const Reply& reply) { OnRequest(request, reply); }) {}

absl::Status ExecKeeper::Run() {
  if (const absl::Status status = Prepare(); !status.ok()) {
    FailStart(status);
    return status;
  }
  if (setup_.service.StartsAgent()) {
    agent_.Start(std::move(setup_.facts));
  } else {
    OnAgentReady();
  }
  if (!finished_) loop_.Run();
  return result_;
}

absl::Status ExecKeeper::Prepare() {
  launcher_.emplace(std::move(setup_.launcher));
  record_ = RecordOf(setup_.service, setup_.run, setup_.program);
  RETURN_IF_ERROR(WriteRecord(setup_.paths.record, record_));
  RETURN_IF_ERROR(control_.Listen(setup_.paths.control_socket));
  loop_.Watch(launcher_->fd(), POLLIN, [this] { OnLauncher(); });
  KeepTrimmed(log_, loop_);
  return absl::OkStatus();
}

void ExecKeeper::OnAgentReady() {
  loop_.Watch(setup_.fuse.get(), POLLIN, [this] { OnFuse(); });
  Tell(absl::OkStatus());
}

// Only the end of it is awaited: the launcher is the program by then, or has given up.
void ExecKeeper::OnLauncher() {
  loop_.Unwatch(launcher_->fd());
  if (daemon_.state() != DaemonRunner::State::kServing) FailStart(Failure(ExitCode::kFailed, "interrupted."));
}

void ExecKeeper::OnFuse() {
  loop_.Unwatch(setup_.fuse.get());
  auto mounted = ReceiveDescriptor(setup_.fuse);
  if (!mounted.ok()) return FailStart(mounted.status());
  setup_.fuse.reset();
  daemon_.Start(setup_.service.StartsAgent() ? "unix:" + setup_.paths.agent_socket : setup_.service.endpoint,
                *std::move(mounted));
  SaveRecord();
}

void ExecKeeper::OnServing() {
  record_.launcher = IdentifyProcess(setup_.launcher_pid);
  record_.program_namespace = MountNamespaceOf(setup_.launcher_pid);
  SaveRecord();
  logger_.info("{} runs on {}", setup_.program, setup_.service.target);
  Tell(absl::OkStatus());
}

void ExecKeeper::OnProgress(std::string_view step, std::string_view detail) {
  logger_.info("agent {}: {}", step, detail);
  const bool awaited = agent_.state() == AgentSupervisor::State::kStarting;
  if (awaited && launcher_) (void)launcher_->Send(ToLine(ProgressMessage(step, detail))).ok();
}

void ExecKeeper::OnAgentChanged() {
  using State = AgentSupervisor::State;
  SaveRecord();
  const State before = std::exchange(last_agent_state_, agent_.state());
  if (finished_ || before == agent_.state() || daemon_.state() != DaemonRunner::State::kServing) return;
  if (agent_.state() == State::kTargetGone) {
    setup_.terminal.Print(fmt::format(
        "{} has ended: its files give errors (Stale file handle, Host is down) from now on.{}", setup_.service.target,
        setup_.service.IsInCluster() ? " With --follow the program would go on in what takes its place." : ""));
  } else if (before == State::kFollowing && agent_.state() == State::kReady) {
    setup_.terminal.Print(fmt::format("{} has ended; its place has taken {}: what was opened before is stale.",
                                      setup_.service.target, agent_.Place()));
  } else if (before == State::kReady && agent_.state() == State::kRestarting) {
    setup_.terminal.Print(
        fmt::format("the agent of {} died and is started again; calls wait for it.", setup_.service.target));
  }
}

void ExecKeeper::OnDaemonEnded(int wait_status) {
  if (wait_status != 0) {
    logger_.error("the daemon {}", DescribeEnd(wait_status));
    setup_.terminal.Print(
        fmt::format("the daemon that serves {} {}: every file gives an error (Transport endpoint is not "
                    "connected) from now on. End the program and start it again.",
                    setup_.service.target, DescribeEnd(wait_status)));
  }
  Finish(absl::OkStatus());
}

// One file at a time, to its end: several at once would take turns on the line.
void ExecKeeper::OnCopying(const CopyStep& step) {
  logger_.info("{}", CopyLine(step, SIZE_MAX));
  if (!copied_path_.empty() && copied_path_ != step.path) return;
  setup_.terminal.Update(CopyLine(step, setup_.terminal.Room()));
  copied_path_ = step.over ? "" : step.path;
  if (step.over) setup_.terminal.EndUpdates();
}

void ExecKeeper::OnRequest(const nlohmann::json& request, const Reply& reply) {
  const std::string word = TextField(request, "request");
  if (word == "status") {
    return reply({{"ok", true},
                  {"daemon", daemon_.state() == DaemonRunner::State::kServing ? "serving" : "starting"},
                  {"agent", setup_.service.StartsAgent() ? ToWord(agent_.state()) : "external"}});
  }
  if (word == "stats") {
    return daemon_.RequestStats([reply](const absl::StatusOr<nlohmann::json>& stats) {
      reply(stats.ok() ? nlohmann::json{{"ok", true}, {"stats", *stats}} : StatusToJson(stats.status()));
    });
  }
  reply(StatusToJson(Failure(ExitCode::kUsage, fmt::format("there is no request '{}'", word))));
}

void ExecKeeper::Tell(const absl::Status& status) {
  // It has given up if that fails, which OnLauncher hears of.
  if (launcher_) (void)launcher_->Send(ToLine(StatusToJson(status))).ok();
}

void ExecKeeper::SaveRecord() {
  if (!finished_) SaveProcesses(agent_, daemon_, setup_.paths.record, record_, logger_);
}

void ExecKeeper::FailStart(const absl::Status& why) {
  if (finished_) return;
  Finish(why);
  Tell(why);
}

void ExecKeeper::Finish(const absl::Status& result) {
  if (std::exchange(finished_, true)) return;
  result_ = result;
  daemon_.Kill();
  agent_.Stop();
  SettleAndTell(setup_.service.layer_directory, setup_.terminal);
  control_.Close();
  RemoveState(setup_.paths);
  loop_.Stop();
}

}  // namespace mirrorfs
