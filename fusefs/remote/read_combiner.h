// Small reads of one file that wait at the same time go in one call: a call costs far more than the bytes it carries.
#ifndef MIRRORFS_FUSEFS_REMOTE_READ_COMBINER_H_
#define MIRRORFS_FUSEFS_REMOTE_READ_COMBINER_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "protos/shared/file_system.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

struct ReadRange {
  HandleId handle = HandleId::kNone;
  uint64_t offset = 0;
  uint32_t size = 0;
};

// Thread-safe. Nothing waits in the hope of company: a read joins others only while as many calls of its file as are of
// use are on their way. How many that is, the quickest of the last calls tells: with distance, all go at once.
class ReadCombiner {
 public:
  // Of each range in order; fewer if the agent has not come to all of them.
  using Outcomes = std::vector<absl::StatusOr<absl::Cord>>;
  // One call for all the ranges (at least two).
  using SendMany = std::function<absl::StatusOr<Outcomes>(const CallContext&, absl::Span<const ReadRange>)>;
  using SendOne = std::function<absl::StatusOr<absl::Cord>(const CallContext&, const ReadRange&)>;

  // Calls that take longer hang, or are not those of the same machine: others are not to wait for them.
  static constexpr std::chrono::milliseconds kPatience{20};

  ReadCombiner(SendOne send_one, SendMany send_many, std::chrono::milliseconds patience = kPatience)
      : send_one_(std::move(send_one)), send_many_(std::move(send_many)), patience_(patience) {}

  // `range`: of a handle of `node`, at most kMostBytes.
  absl::StatusOr<absl::Cord> Read(const CallContext& context, NodeId node, const ReadRange& range);

  static constexpr size_t kMostRanges = 16;
  static constexpr size_t kMostBytes = 64 << 10;  // in one call

 private:
  struct Waiter {
    enum class State : uint8_t { kQueued, kSent, kToLead, kToAskAlone, kAnswered };

    Waiter(const CallContext& context, const ReadRange& range) : caller(context.caller), range(range) {}

    const Caller caller;
    const ReadRange range;
    std::condition_variable changed;
    State state = State::kQueued;  // guarded by mutex_, as all that follows
    absl::StatusOr<absl::Cord> answer = absl::Cord();
  };
  using WaiterPtr = std::shared_ptr<Waiter>;
  struct File {
    size_t calls = 0;  // on their way
    std::deque<WaiterPtr> waiting;
  };

  // Until there is something to do for `self` (state); false: the program does not wait any more.
  bool AwaitTurn(const std::stop_token& stop, NodeId node, const WaiterPtr& self);
  // Sends `first`, and what waits and may go with it; then lets the next one lead.
  absl::StatusOr<absl::Cord> Lead(const CallContext& context, NodeId node, const WaiterPtr& first);
  std::vector<WaiterPtr> TakeBatch(NodeId node, const WaiterPtr& first);
  void HandOn(NodeId node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Leave(NodeId node, const WaiterPtr& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Nobody waits for it any more.
  void GiveUp(NodeId node, const WaiterPtr& waiter);
  size_t CallsOfUse() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteDuration(absl::Duration duration) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SendOne send_one_;
  const SendMany send_many_;
  const std::chrono::milliseconds patience_;

  Mutex mutex_;
  absl::flat_hash_map<NodeId, File> files_ ABSL_GUARDED_BY(mutex_);  // with calls on their way
  // The quickest call of this period, and of the one before it.
  absl::Time period_end_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Duration quickest_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
  absl::Duration quickest_before_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_READ_COMBINER_H_
