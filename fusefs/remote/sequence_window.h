// Gives out the sequence numbers of a session, and knows which of them are still without an answer.
#ifndef MIRRORFS_FUSEFS_REMOTE_SEQUENCE_WINDOW_H_
#define MIRRORFS_FUSEFS_REMOTE_SEQUENCE_WINDOW_H_

#include <cstdint>
#include <set>
#include <vector>

#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe.
class SequenceWindow {
 public:
  struct Acknowledgement {
    uint64_t answered_below = 0;
    std::vector<uint64_t> answered;  // each is told once
  };

  uint64_t Begin();
  // The answer is here, or nobody waits for it any more.
  void End(uint64_t sequence);
  Acknowledgement Take();

 private:
  Mutex mutex_;
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<uint64_t> open_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> answered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_SEQUENCE_WINDOW_H_
