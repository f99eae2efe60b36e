// Forgets and releases, gathered and sent in batches by a thread of its own.
#ifndef MIRRORFS_FUSEFS_REMOTE_GIVE_BACK_QUEUE_H_
#define MIRRORFS_FUSEFS_REMOTE_GIVE_BACK_QUEUE_H_

#include <condition_variable>
#include <optional>
#include <thread>
#include <vector>

#include "absl/types/span.h"
#include "fusefs/remote/caller.h"
#include "fusefs/remote/generation.h"
#include "protos/shared/file_types.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe.
class GiveBackQueue {
 public:
  GiveBackQueue(RemoteCaller& caller, SessionLink& link);
  ~GiveBackQueue() { Close(); }
  // Sends what is queued, but waits for that no longer than a moment. What comes later is dropped.
  void Close();

  // For the session `generation`; dropped if that is lost before they are sent.
  void Forget(Generation generation, const ForgottenNode& node);
  // Urgent: without waiting for others to go along with it.
  void Release(Generation generation, HandleId handle, bool urgent);

 private:
  struct Batch {
    Generation generation = Generation::kNone;
    std::vector<ForgottenNode> nodes;
    std::vector<HandleId> handles;
    bool Empty() const { return nodes.empty() && handles.empty(); }
  };

  Batch& BatchOf(Generation generation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Queued() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunThread(const std::stop_token& abandon);
  // The next batch when it is time to send it; none: closed and empty.
  std::optional<Batch> NextBatch();
  void Send(const Batch& batch, const std::stop_token& abandon);

  RemoteCaller& caller_;
  SessionLink& link_;
  Mutex mutex_;
  std::condition_variable changed_;
  std::vector<Batch> batches_ ABSL_GUARDED_BY(mutex_);  // one for each generation
  size_t queued_ ABSL_GUARDED_BY(mutex_) = 0;
  bool urgent_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool idle_ ABSL_GUARDED_BY(mutex_) = true;
  std::jthread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_GIVE_BACK_QUEUE_H_
