// Runs mirrorfsd, once: a daemon that has died is never replaced under a mount, since open files would be lost
// silently.
#ifndef MIRRORFS_LAUNCHER_KEEPER_DAEMON_RUNNER_H_
#define MIRRORFS_LAUNCHER_KEEPER_DAEMON_RUNNER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "launcher/keeper/child_log.h"
#include "launcher/keeper/copy_line.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/system/process_identity.h"
#include "nlohmann/json.hpp"
#include "protos/shared/line_channel.h"
#include "spdlog/logger.h"

namespace mirrorfs {

// Not thread-safe: lives in its event loop.
class DaemonRunner {
 public:
  enum class State : uint8_t { kIdle, kStarting, kServing, kEnded };

  struct Listener {
    std::function<void(const nlohmann::json& facts)> ready;
    std::function<void(const absl::Status&)> failed;  // it could not mount; it has ended
    std::function<void(int wait_status)> ended;       // after it was ready
    std::function<void(const CopyStep&)> copying;     // now and then, while a large file is copied to the layer
  };
  using StatsReply = std::function<void(const absl::StatusOr<nlohmann::json>&)>;

  DaemonRunner(EventLoop& loop, spdlog::logger& logger, const MountPlan& plan, const ChildLog& log, Listener listener);
  DaemonRunner(const DaemonRunner&) = delete;

  // `mounted`: a /dev/fuse that is mounted already, for a plan whose mount point is kMountedDescriptor; else empty.
  void Start(const std::string& endpoint, UniqueFd mounted = UniqueFd());
  // Asks for its counters; the answer, or why there is none, comes later.
  void RequestStats(StatsReply reply);
  // SIGTERM, SIGKILL if it does not end, and waits.
  void Kill();

  State state() const { return state_; }
  const ProcessIdentity& process() const { return process_; }

 private:
  absl::Status Spawn(const std::string& endpoint, const UniqueFd& mounted);
  void OnMessages();
  void OnMessage(const nlohmann::json& message);
  void OnEnd(int wait_status);
  void CloseChannel();
  void SetStartLimit();

  EventLoop& loop_;
  spdlog::logger& logger_;
  const MountPlan& plan_;
  const ChildLog& log_;
  const Listener listener_;

  State state_ = State::kIdle;
  ProcessIdentity process_;
  std::optional<LineChannel> channel_;
  std::deque<StatsReply> waiting_for_stats_;
  std::optional<absl::Status> failure_;  // as it told us before it ended
  EventLoop::TimerId timer_ = EventLoop::TimerId::kNone;
  uint64_t log_position_ = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_DAEMON_RUNNER_H_
