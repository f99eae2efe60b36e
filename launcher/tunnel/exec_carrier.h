// Carries each connection by a command of its own that is run in the container.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_EXEC_CARRIER_H_
#define MIRRORFS_LAUNCHER_TUNNEL_EXEC_CARRIER_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "launcher/keeper/event_loop.h"
#include "launcher/tunnel/carrier.h"

namespace mirrorfs {

struct ExecCarrierOptions {
  std::vector<std::string> command;    // argv of what makes its stdin and stdout a connection to the agent
  std::vector<std::string> variables;  // NAME=VALUE, in addition to this process's environment
  size_t max_streams = 16;
  // Told when connection after connection ends as soon as it has begun: the agent is not there any more.
  std::function<void()> failing = [] {};
};

// The connection itself becomes the command's stdin and stdout: no byte is copied here.
class ExecCarrier : public Carrier {
 public:
  ExecCarrier(EventLoop& loop, ExecCarrierOptions options);
  ExecCarrier(const ExecCarrier&) = delete;
  ~ExecCarrier() override;  // kills what runs

  // Fails, too, if there are as many streams as there may be.
  absl::Status Carry(UniqueFd connection) override;

  size_t StreamCount() const { return streams_.size(); }

 private:
  struct Stream {
    UniqueFd connection;
    absl::Time since;
    bool left = false;  // by the daemon
    EventLoop::TimerId timer = EventLoop::TimerId::kNone;
  };

  void OnLeft(pid_t pid);
  void OnEnd(pid_t pid, int wait_status);
  void Judge(const Stream& stream, int wait_status);

  EventLoop& loop_;
  const ExecCarrierOptions options_;
  std::map<pid_t, Stream> streams_;
  int failures_ = 0;  // one after the other
  absl::Time last_failure_ = absl::InfinitePast();
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_EXEC_CARRIER_H_
