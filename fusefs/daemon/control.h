// The daemon's end of the channel to its keeper: says "ready" or "failed", and answers questions.
//   daemon: {"event":"ready",...}   {"event":"failed","message":...,"exit":N}
//           {"event":"copying","path":...,"done":BYTES,"size":BYTES,"over":BOOL}   a file is being copied into the
//           layer,
//               and that takes long; the last one has "over"
//   keeper: {"request":"stats"}     daemon: {"stats":{...}}
#ifndef MIRRORFS_FUSEFS_DAEMON_CONTROL_H_
#define MIRRORFS_FUSEFS_DAEMON_CONTROL_H_

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
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
  // The next line to go out; when there is none, the next Send has to do it.
  std::optional<std::string> TakeWaiting();
  void AnswerUntilEnd(const std::function<nlohmann::json()>& stats);

  LineChannel channel_;
  Mutex mutex_;
  std::deque<std::string> waiting_ ABSL_GUARDED_BY(mutex_);  // to go out, in this order
  bool sending_ ABSL_GUARDED_BY(mutex_) = false;             // a thread is at it: it takes the others' lines, too
  std::jthread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_CONTROL_H_
