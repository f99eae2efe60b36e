#include "launcher/layers/layer_tool.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "launcher/agentmodes/settle_target.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/agent_supervisor.h"
#include "launcher/keeper/child_end.h"
#include "launcher/keeper/child_log.h"
#include "launcher/keeper/ending_signals.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/keeper/progress.h"
#include "launcher/plan/child_commands.h"
#include "launcher/system/child_process.h"
#include "launcher/system/process_identity.h"
#include "launcher/system/programs.h"
#include "launcher/system/work_place.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/line_channel.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kStopGrace = absl::Seconds(3);

// Not thread-safe: lives in its event loop.
class Tool {
 public:
  Tool(LayerToolOptions options, std::string socket, ChildLog log, EndingSignals& signals,
       const std::function<void(const nlohmann::json&)>& told)
      : options_(std::move(options)),
        socket_(std::move(socket)),
        log_(std::move(log)),
        signals_(signals),
        logger_("mirrorfs", std::make_shared<spdlog::sinks::stderr_sink_st>()),
        told_(told),
        agent_(loop_, logger_, options_.plan, socket_, log_,
               {.ready = [this] { StartDaemon("unix:" + socket_); },
                .failed = [this](const absl::Status& why) { End(why); },
                .changed = [] {},
                .progress = [this](std::string_view step,
                                   std::string_view detail) { PrintProgress(options_.plan.progress, step, detail); }}) {
  }

  absl::Status Run() {
    loop_.Watch(signals_.fd(), POLLIN, [this] {
      if (const std::optional<int> signal = signals_.Next()) End(EndedBy(*signal));
    });
    if (options_.plan.StartsAgent()) {
      agent_.Start();
    } else {
      StartDaemon(options_.plan.endpoint);
    }
    loop_.Run();
    EndProcess(daemon_, kStopGrace);
    agent_.Stop();
    return result_;
  }

 private:
  void StartDaemon(const std::string& endpoint) {
    if (const absl::Status started = SpawnDaemon(endpoint); !started.ok()) End(started);
  }

  absl::Status SpawnDaemon(const std::string& endpoint) {
    std::array<int, 2> ends;
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return LastErrno("socketpair");
    channel_.emplace(UniqueFd(ends[0]));
    const UniqueFd child_end(ends[1]);
    position_ = log_.Position();
    MountPlan plan = options_.plan;
    plan.layer_directory = options_.layer_directory;
    plan.mountpoint = "/";
    std::vector<std::string> command = DaemonCommand(plan, endpoint, kFirstChildDescriptor);
    command.insert(command.end(), options_.words.begin(), options_.words.end());
    std::vector<int> descriptors = {child_end.get()};
    static_assert(kToolOutput == kFirstChildDescriptor + 1);
    if (options_.output >= 0) descriptors.push_back(options_.output);
    ASSIGN_OR_RETURN(const pid_t pid, StartChild({.program = plan.daemon_path,
                                                  .command = std::move(command),
                                                  .output = log_.fd(),
                                                  .descriptors = std::move(descriptors)}));
    daemon_ = IdentifyProcess(pid);
    RETURN_IF_ERROR(loop_.WatchChild(pid, [this](int status) { OnDaemonEnded(status); }));
    loop_.Watch(channel_->fd(), POLLIN, [this] { OnMessages(); });
    return absl::OkStatus();
  }

  void OnMessages() {
    channel_->Receive();
    while (const auto line = channel_->Next()) {
      const auto message = FromLine(*line);
      if (!message) continue;
      if (TextField(*message, "event") == "failed") {
        failure_ = StatusFromJson(*message);
      } else {
        told_(*message);
      }
    }
    if (channel_->AtEnd()) loop_.Unwatch(channel_->fd());
  }

  void OnDaemonEnded(int wait_status) {
    while (!channel_->AtEnd()) OnMessages();
    if (failure_) return End(*failure_);
    const bool well = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
    End(well ? absl::OkStatus() : StartFailure("mirrorfsd", wait_status, log_.TextSince(position_)));
  }

  void End(const absl::Status& result) {
    result_ = result;
    loop_.Stop();
  }

  const LayerToolOptions options_;
  const std::string socket_;
  const ChildLog log_;
  EndingSignals& signals_;
  spdlog::logger logger_;
  const std::function<void(const nlohmann::json&)>& told_;
  EventLoop loop_;
  AgentSupervisor agent_;
  ProcessIdentity daemon_;
  std::optional<LineChannel> channel_;
  std::optional<absl::Status> failure_;
  absl::Status result_;
  uint64_t position_ = 0;
};

}  // namespace

absl::Status RunLayerTool(LayerToolOptions options, const Invoker& invoker,
                          const std::function<void(const nlohmann::json&)>& told) {
  RETURN_IF_ERROR(SettleTarget(options.plan));
  RETURN_IF_ERROR(FindPrograms(invoker, options.plan));
  EndingSignals signals;
  ASSIGN_OR_RETURN(const WorkPlace place, WorkPlace::ForSockets(invoker));
  ASSIGN_OR_RETURN(ChildLog log, ChildLog::ToFile(place.path() + "/log"));
  return Tool(std::move(options), place.path() + "/agent", std::move(log), signals, told).Run();
}

}  // namespace mirrorfs
