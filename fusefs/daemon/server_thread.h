// The thread that serves a FUSE session, and how it is made to end.
#ifndef MIRRORFS_FUSEFS_DAEMON_SERVER_THREAD_H_
#define MIRRORFS_FUSEFS_DAEMON_SERVER_THREAD_H_

#include <sys/types.h>

#include <atomic>
#include <thread>

#include "absl/status/status.h"
#include "fusefs/kernel/fuse_session.h"

namespace mirrorfs {

class ServerThread {
 public:
  // Begins to serve. `session` outlives this.
  explicit ServerThread(FuseSession& session);
  ServerThread(const ServerThread&) = delete;

  // Asks it to end. The session notices only when the thread wakes up, so it is woken by a signal; that can come a
  // moment too early: ask again until Join has returned. Thread-safe.
  void Stop();
  // Waits for the end, and gives what Run gave.
  absl::Status Join();

 private:
  FuseSession& session_;
  absl::Status result_;
  std::atomic<pid_t> thread_id_ = 0;  // while it serves
  std::jthread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_SERVER_THREAD_H_
