#include "fusefs/remote/read_combiner.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/time/clock.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kPeriod = absl::Seconds(1);
// What a call costs the two processors that it keeps busy (docs/performance.md): more calls at once than one for each
// of these in the time that a call takes only wait for each other.
constexpr absl::Duration kCostOfCall = absl::Microseconds(200);
constexpr size_t kFewestCalls = 2;
constexpr size_t kMostCalls = 256;

}  // namespace

absl::StatusOr<absl::Cord> ReadCombiner::Read(const CallContext& context, NodeId node, const ReadRange& range) {
  const auto self = std::make_shared<Waiter>(context, range);
  {
    MutexLock lock(mutex_);
    File& file = files_[node];
    if (file.calls < CallsOfUse()) {
      ++file.calls;
      self->state = Waiter::State::kToLead;
    } else {
      file.waiting.push_back(self);
    }
  }
  if (self->state != Waiter::State::kToLead && !AwaitTurn(context.stop, node, self)) {
    GiveUp(node, self);
    return ErrnoStatus(EINTR, "read");
  }
  switch (self->state) {
    case Waiter::State::kToLead:
      return Lead(context, node, self);
    case Waiter::State::kAnswered:
      return std::move(self->answer);
    default:
      return send_one_(context, range);
  }
}

bool ReadCombiner::AwaitTurn(const std::stop_token& stop, NodeId node, const WaiterPtr& self) {
  const std::stop_callback wake(stop, [&] {
    const MutexLock lock(mutex_);
    self->changed.notify_all();
  });
  const auto patience = std::chrono::steady_clock::now() + patience_;
  MutexLock lock(mutex_);
  while (self->state == Waiter::State::kQueued || self->state == Waiter::State::kSent) {
    if (stop.stop_requested()) return false;
    if (self->state == Waiter::State::kSent) {
      lock.Wait(self->changed);
    } else if (lock.WaitUntil(self->changed, patience) == std::cv_status::timeout &&
               self->state == Waiter::State::kQueued) {
      Leave(node, self);
      self->state = Waiter::State::kToAskAlone;
    }
  }
  return true;
}

absl::StatusOr<absl::Cord> ReadCombiner::Lead(const CallContext& context, NodeId node, const WaiterPtr& first) {
  const std::vector<WaiterPtr> batch = TakeBatch(node, first);
  const absl::Time begun = absl::Now();
  absl::StatusOr<Outcomes> outcomes = Outcomes();
  if (batch.size() == 1) {
    outcomes->push_back(send_one_(context, first->range));
  } else {
    std::vector<ReadRange> ranges;
    for (const WaiterPtr& waiter : batch) ranges.push_back(waiter->range);
    outcomes = send_many_(context, ranges);
  }
  MutexLock lock(mutex_);
  NoteDuration(absl::Now() - begun);
  HandOn(node);
  for (size_t i = 0; i < batch.size(); ++i) {
    Waiter& waiter = *batch[i];
    // An error of the call is the leader's: its program may have been killed, the others' not. But all have waited.
    const bool too_late = ToErrno(outcomes.status()) == ETIMEDOUT;
    const bool answered = too_late || (outcomes.ok() && i < outcomes->size());
    waiter.state = answered ? Waiter::State::kAnswered : Waiter::State::kToAskAlone;
    if (answered) waiter.answer = too_late ? outcomes.status() : std::move((*outcomes)[i]);
    waiter.changed.notify_all();
  }
  if (!outcomes.ok()) return outcomes.status();
  if (first->state == Waiter::State::kAnswered) return std::move(first->answer);
  return ErrnoStatus(EIO, "read");  // the first range is always answered
}

std::vector<ReadCombiner::WaiterPtr> ReadCombiner::TakeBatch(NodeId node, const WaiterPtr& first) {
  std::vector<WaiterPtr> batch = {first};
  size_t bytes = first->range.size;
  MutexLock lock(mutex_);
  std::deque<WaiterPtr>& waiting = files_[node].waiting;
  while (!waiting.empty() && batch.size() < kMostRanges) {
    const WaiterPtr& next = waiting.front();
    bytes += next->range.size;
    if (bytes > kMostBytes || next->caller != first->caller) break;
    next->state = Waiter::State::kSent;
    batch.push_back(next);
    waiting.pop_front();
  }
  return batch;
}

void ReadCombiner::HandOn(NodeId node) {
  const auto file = files_.find(node);
  std::deque<WaiterPtr>& waiting = file->second.waiting;
  if (!waiting.empty()) {
    waiting.front()->state = Waiter::State::kToLead;
    waiting.front()->changed.notify_all();
    waiting.pop_front();
  } else if (--file->second.calls == 0) {
    files_.erase(file);
  }
}

void ReadCombiner::GiveUp(NodeId node, const WaiterPtr& waiter) {
  MutexLock lock(mutex_);
  if (waiter->state == Waiter::State::kToLead) return HandOn(node);
  if (waiter->state == Waiter::State::kQueued) Leave(node, waiter);
}

void ReadCombiner::Leave(NodeId node, const WaiterPtr& waiter) {
  std::deque<WaiterPtr>& waiting = files_[node].waiting;
  waiting.erase(std::find(waiting.begin(), waiting.end(), waiter));
}

size_t ReadCombiner::CallsOfUse() const {
  const absl::Duration quickest = std::min(quickest_, quickest_before_);
  if (quickest == absl::InfiniteDuration()) return kFewestCalls;
  return std::clamp(static_cast<size_t>(quickest / kCostOfCall), kFewestCalls, kMostCalls);
}

void ReadCombiner::NoteDuration(absl::Duration duration) {
  if (const absl::Time now = absl::Now(); now > period_end_) {
    quickest_before_ = std::exchange(quickest_, absl::InfiniteDuration());
    period_end_ = now + kPeriod;
  }
  quickest_ = std::min(quickest_, duration);
}

}  // namespace mirrorfs
