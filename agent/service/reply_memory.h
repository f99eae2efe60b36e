// What makes a session's changes happen exactly once: a request with a sequence number that has been seen is answered
// from here, and one that is fenced is never begun.
#ifndef MIRRORFS_AGENT_SERVICE_REPLY_MEMORY_H_
#define MIRRORFS_AGENT_SERVICE_REPLY_MEMORY_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/types/span.h"
#include "agent/service/budget.h"
#include "agent/service/reply.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

enum class FenceResult { kNever, kRunning, kDone };

// Thread-safe. Within its lock only that of the budget is taken; answers are given outside of it.
class ReplyMemory {
 public:
  // `memory` is charged for what is remembered, and outlives it.
  explicit ReplyMemory(Budget::Share& memory) : memory_(memory) {}
  ~ReplyMemory();

  // Takes the reply of a request that came with `sequence`. True: it is new, so do it, and call Finish. False: it has
  // been dealt with (answered, waits for the first one's answer, or refused).
  bool Accept(uint64_t sequence, Reply reply);
  // To be asked when the work is about to begin; false: it was fenced meanwhile, and answered.
  bool Start(uint64_t sequence);
  // What was begun has done nothing and will be begun again later: until then it can be fenced like any that waits.
  // False: it was fenced meanwhile, and answered.
  bool Suspend(uint64_t sequence);
  // Answers all who wait, and keeps the answer.
  void Finish(uint64_t sequence, const grpc::ByteBuffer& answer);

  // It was not begun, and will not be: tells all who wait.
  void Refuse(uint64_t sequence, const grpc::Status& why);

  FenceResult Fence(uint64_t sequence);
  // The client has these answers. What is told of them is forgotten, but not that they were done.
  void Acknowledge(uint64_t answered_below, absl::Span<const uint64_t> answered);

 private:
  enum class State : uint8_t { kWaiting, kRunning, kDone, kFenced };
  struct Record {
    State state = State::kWaiting;
    bool fence_wanted = false;  // it ran when it was to be fenced
    bool answer_dropped = false;
    grpc::ByteBuffer answer;
    std::vector<Reply> replies;  // of the request and those that came again
  };
  using Records = std::map<uint64_t, Record>;

  void Drop(Record& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Records::iterator Erase(Records::iterator record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Budget::Share& memory_;
  Mutex mutex_;
  Records records_ ABSL_GUARDED_BY(mutex_);
  uint64_t answered_below_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of answers that are kept
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_REPLY_MEMORY_H_
