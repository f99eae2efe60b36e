// The daemon's end of the channel to its keeper: says "ready" or "failed", and answers questions.
//   daemon: {"event":"ready",...}   {"event":"failed","message":...,"exit":N}
//           {"event":"copying","path":...,"done":BYTES,"size":BYTES,"over":BOOL}   a file is being copied into the
//           layer,
//               and that takes long; the last one has "over"
//   keeper: {"request":"stats"}     daemon: {"stats":{...}}
#ifndef MIRRORFS_FUSEFS_DAEMON_CONTROL_H_
#define MIRRORFS_FUSEFS_DAEMON_CONTROL_H_

#include <functional>
#include <string>
#include <thread>

#include "fusefs/daemon/exit_codes.h"
#include "nlohmann/json.hpp"
#include "protos/shared/line_channel.h"
#include "protos/shared/mutex.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Thread-safe for Send…; the answers come from a thread of its own. Without a keeper (no fd, or it has died)
// nothing is said and the daemon serves on.
class ControlChannel {
 public:
  explicit ControlChannel(UniqueFd socket) : channel_(std::move(socket)) {}
  ~ControlChannel() { StopServing(); }
  ControlChannel(const ControlChannel&) = delete;

  void SendReady(nlohmann::json facts);
  // Something worth telling while it serves. May be called from any thread.
  void SendEvent(const std::string& event, nlohmann::json facts);
  void SendFailed(const std::string& message, DaemonExit exit);

  // Begins to answer. `stats` is called from the channel's thread, until StopServing.
  void Serve(std::function<nlohmann::json()> stats);
  // Returns when `stats` is not called any more, and never will be again.
  void StopServing();

 private:
  void Send(const nlohmann::json& message);
  void AnswerUntilEnd(const std::function<nlohmann::json()>& stats);

  Mutex sending_;  // held while a line goes out; the keeper takes lines in at once
  LineChannel channel_;
  std::jthread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_CONTROL_H_
