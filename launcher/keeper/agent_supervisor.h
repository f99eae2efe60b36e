// Keeps an agent running: starts it, says when it is ready, starts it again when it dies.
#ifndef MIRRORFS_LAUNCHER_KEEPER_AGENT_SUPERVISOR_H_
#define MIRRORFS_LAUNCHER_KEEPER_AGENT_SUPERVISOR_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "launcher/keeper/agent_line.h"
#include "launcher/keeper/child_log.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/system/process_identity.h"
#include "protos/shared/line_channel.h"
#include "protos/shared/unique_fd.h"
#include "spdlog/logger.h"

namespace mirrorfs {

// Not thread-safe: lives in its event loop.
class AgentSupervisor {
 public:
  enum class State : uint8_t {
    kIdle,      // never started, or stopped
    kStarting,  // for the first time
    kReady,
    kRestarting,  // it died; another one is on its way
    kTargetGone,  // the container has ended: the agent, if it still runs, answers with errors
    kFollowing,   // likewise, and what takes its place is looked for
  };

  // Called from the event loop.
  struct Listener {
    std::function<void()> ready;                      // the first time only
    std::function<void(const absl::Status&)> failed;  // it could not be started the first time
    std::function<void()> changed;                    // another process, or state
    std::function<void(std::string_view step, std::string_view detail)> progress;  // see progress.h
  };

  AgentSupervisor(EventLoop& loop, spdlog::logger& logger, const MountPlan& plan, std::string socket,
                  const ChildLog& log, Listener listener);
  AgentSupervisor(const AgentSupervisor&) = delete;

  // The first one writes what the target's process is like to `facts`, unless that is empty.
  void Start(UniqueFd facts = UniqueFd());
  // Ends it and waits for its end.
  void Stop();
  // Starts one again after Stop.
  void Resume();

  State state() const { return state_; }
  const ProcessIdentity& process() const { return process_; }
  // "NAMESPACE/POD/CONTAINER" of an agent in a pod, once it runs; else empty.
  const std::string& pod() const { return pod_; }
  bool BehindTunnel() const { return IsRemote(plan_.agent_mode); }
  // Of a target in a cluster, once it has been reached: "pod/web-7c9, container app".
  std::string Place() const;

 private:
  absl::Status Spawn();
  void OnLines();
  void Hear(const AgentLine& line);
  void StopListening();
  void OnReady();
  void OnTargetGone();
  void Follow();
  void EndLeft();
  void OnEnd(pid_t pid, int wait_status);
  void OnStartFailed(const absl::Status& why);
  void FailStart(const absl::Status& why);
  void ScheduleRestart();
  void ScheduleStart();
  void Enter(State state);

  EventLoop& loop_;
  spdlog::logger& logger_;
  MountPlan plan_;  // how it is started, which the first start may settle
  const std::string socket_;
  const ChildLog& log_;
  const Listener listener_;

  State state_ = State::kIdle;
  ProcessIdentity process_;
  std::optional<LineChannel> lines_;  // while the process may say something
  UniqueFd facts_;                    // until the first agent is ready
  absl::Status refused_;              // why the agent is tried in the container
  std::string container_;             // what a tunnel has said
  std::string left_container_;        // while another one is looked for
  ProcessIdentity left_;              // the agent that says that it has ended, meanwhile
  std::string pod_;                   // likewise
  EventLoop::TimerId timer_ = EventLoop::TimerId::kNone;
  absl::Time started_at_;
  absl::Duration back_off_;
  uint64_t log_position_ = 0;
};

const char* ToWord(AgentSupervisor::State state);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_AGENT_SUPERVISOR_H_
