// Keeps the session alive while nothing else is sent, and notices when it is not.
#ifndef MIRRORFS_FUSEFS_REMOTE_HEARTBEAT_H_
#define MIRRORFS_FUSEFS_REMOTE_HEARTBEAT_H_

#include <thread>

#include "absl/time/time.h"
#include "fusefs/remote/caller.h"

namespace mirrorfs {

class Heartbeat {
 public:
  // Pings every `interval`, from a thread of its own, until it is destroyed.
  Heartbeat(RemoteCaller& caller, SessionLink& link, absl::Duration interval);

 private:
  void RunThread(const std::stop_token& stop);
  void Ping(const std::stop_token& stop);

  RemoteCaller& caller_;
  SessionLink& link_;
  const absl::Duration interval_;
  std::jthread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_HEARTBEAT_H_
