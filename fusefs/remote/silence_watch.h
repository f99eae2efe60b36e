// Notices that the way to an agent carries nothing any more, though nobody has said so: a program in between that
// stands still, packets that are dropped, a machine that has slept. All connections are made anew then, and calls are
// sent again over them.
#ifndef MIRRORFS_FUSEFS_REMOTE_SILENCE_WATCH_H_
#define MIRRORFS_FUSEFS_REMOTE_SILENCE_WATCH_H_

#include <string>
#include <thread>

#include "absl/time/time.h"
#include "fusefs/remote/channels.h"
#include "fusefs/remote/session_link.h"

namespace mirrorfs {

class SilenceWatch {
 public:
  // Looks from a thread of its own until it is destroyed. The heartbeat has to come at least twice in `limit`.
  SilenceWatch(Channels& channels, SessionLink& link, std::string endpoint, absl::Duration limit);

 private:
  void RunThread(const std::stop_token& stop);
  void Look(absl::Time now);

  Channels& channels_;
  SessionLink& link_;
  const std::string endpoint_;
  const absl::Duration limit_;
  absl::Duration patience_;                    // grows while new connections are of no use
  absl::Time renewed_ = absl::InfinitePast();  // when they were made anew last
  std::jthread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_SILENCE_WATCH_H_
