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
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "protos/shared/deferred_reads.h"
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
//
// A read that has to wait holds no thread. Whoever has sent a call answers all that it brought, and then sends the next
// one for those who have come meanwhile; an attendant sees to those for whom that takes too long.
class ReadCombiner {
 public:
  // Of each range in order; fewer if the agent has not come to all of them.
  using Outcomes = std::vector<absl::StatusOr<absl::Cord>>;
  // One call for all the ranges (at least two).
  using SendMany = std::function<absl::StatusOr<Outcomes>(const CallContext&, absl::Span<const ReadRange>)>;
  using SendOne = std::function<absl::StatusOr<absl::Cord>(const CallContext&, const ReadRange&)>;

  // Calls that take longer hang, or are not those of the same machine: others are not to wait for them.
  static constexpr std::chrono::milliseconds kPatience{20};

  ReadCombiner(SendOne send_one, SendMany send_many, std::chrono::milliseconds patience = kPatience);
  ~ReadCombiner();  // nothing may be waiting any more

  // `range`: of a handle of `node`, at most kMostBytes. `done`, and the calling thread: as DeferredReads says.
  void Start(const CallContext& context, NodeId node, const ReadRange& range, ReadDone done);

  static constexpr size_t kMostRanges = 16;
  static constexpr size_t kMostBytes = 64 << 10;  // in one call

 private:
  struct Waiter;
  using WaiterPtr = std::shared_ptr<Waiter>;
  using TimePoint = std::chrono::steady_clock::time_point;
  struct File {
    size_t calls = 0;  // on their way
    std::deque<WaiterPtr> waiting;
  };

  // True: the calling thread is to send it, as one of the calls of use.
  bool TakeLead(Waiter& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True as TakeLead; false: it waits, or is answered.
  bool Enqueue(const WaiterPtr& waiter);
  // Sends `first` and what may go with it, then what has come meanwhile, until nothing waits.
  void Lead(WaiterPtr first);
  // One call, and what comes of it. Those of whom it told nothing wait again, before all others.
  void SendBatch(const WaiterPtr& first);
  std::vector<WaiterPtr> TakeBatch(const WaiterPtr& first);
  WaiterPtr NextToLead(NodeId node);
  WaiterPtr TakeFirst(NodeId node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WaitAgain(const WaiterPtr& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The first answer counts.
  void Finish(const WaiterPtr& waiter, absl::StatusOr<absl::Cord> answer) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnStop(Waiter& waiter);
  size_t CallsOfUse() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteDuration(absl::Duration duration) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void Attend();  // the attendant's thread
  // False: it is over.
  bool AwaitToAttend(std::vector<WaiterPtr>& stopped, std::vector<WaiterPtr>& overdue);
  void SendAloneAside(const WaiterPtr& waiter);

  const SendOne send_one_;
  const SendMany send_many_;
  const std::chrono::milliseconds patience_;

  Mutex mutex_;
  absl::flat_hash_map<NodeId, File> files_ ABSL_GUARDED_BY(mutex_);  // with calls on their way
  std::vector<WaiterPtr> stopped_ ABSL_GUARDED_BY(mutex_);           // to be answered by the attendant
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;                       // in all files
  size_t aside_ ABSL_GUARDED_BY(mutex_) = 0;                         // threads of SendAloneAside
  // The quickest call of this period, and of the one before it.
  absl::Time period_end_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Duration quickest_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
  absl::Duration quickest_before_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
  bool attendant_sleeps_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::condition_variable to_attend_;
  std::condition_variable aside_ended_;
  std::thread attendant_;  // last: it uses the rest
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_READ_COMBINER_H_
