#include "fusefs/remote/read_combiner.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <stop_token>
#include <system_error>
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

struct ReadCombiner::Waiter : std::enable_shared_from_this<Waiter> {
  enum class State : uint8_t { kNew, kQueued, kSent, kAnswered };

  Waiter(const CallContext& context, NodeId node, const ReadRange& range, ReadDone done)
      : context(context), node(node), range(range), done(std::move(done)) {}

  const CallContext context;
  const NodeId node;
  const ReadRange range;
  ReadDone done;
  // Only of one that has waited: a call that is on its way notices a stop itself.
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
  TimePoint since;
  State state = State::kNew;  // guarded by mutex_, as what follows
  bool stopped = false;
};

ReadCombiner::ReadCombiner(SendOne send_one, SendMany send_many, std::chrono::milliseconds patience)
    : send_one_(std::move(send_one)),
      send_many_(std::move(send_many)),
      patience_(patience),
      attendant_([this] { Attend(); }) {}

ReadCombiner::~ReadCombiner() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    to_attend_.notify_all();
  }
  attendant_.join();
  MutexLock lock(mutex_);
  while (aside_ > 0) lock.Wait(aside_ended_);
}

void ReadCombiner::Start(const CallContext& context, NodeId node, const ReadRange& range, ReadDone done) {
  const auto waiter = std::make_shared<Waiter>(context, node, range, std::move(done));
  bool leads = false;
  {
    const MutexLock lock(mutex_);
    leads = TakeLead(*waiter);
  }
  if (leads || Enqueue(waiter)) Lead(waiter);
}

bool ReadCombiner::TakeLead(Waiter& waiter) {
  File& file = files_[waiter.node];
  if (file.calls >= CallsOfUse()) return false;
  ++file.calls;
  waiter.state = Waiter::State::kSent;
  return true;
}

bool ReadCombiner::Enqueue(const WaiterPtr& waiter) {
  waiter->on_stop.emplace(waiter->context.stop, [this, self = waiter.get()] { OnStop(*self); });
  {
    const MutexLock lock(mutex_);
    if (!waiter->stopped) {
      if (TakeLead(*waiter)) return true;
      waiter->state = Waiter::State::kQueued;
      waiter->since = std::chrono::steady_clock::now();
      files_[waiter->node].waiting.push_back(waiter);
      if (++waiting_ == 1 && attendant_sleeps_) to_attend_.notify_all();
      return false;
    }
  }
  Finish(waiter, ErrnoStatus(EINTR, "read"));
  return false;
}

void ReadCombiner::Lead(WaiterPtr first) {
  const NodeId node = first->node;
  for (; first != nullptr; first = NextToLead(node)) SendBatch(first);
}

void ReadCombiner::SendBatch(const WaiterPtr& first) {
  const std::vector<WaiterPtr> batch = TakeBatch(first);
  const absl::Time begun = absl::Now();
  absl::StatusOr<Outcomes> outcomes = Outcomes();
  if (batch.size() == 1) {
    outcomes->push_back(send_one_(first->context, first->range));
  } else {
    std::vector<ReadRange> ranges;
    for (const WaiterPtr& waiter : batch) ranges.push_back(waiter->range);
    outcomes = send_many_(first->context, ranges);
    if (outcomes.ok() && outcomes->empty()) outcomes = ErrnoStatus(EIO, "read");  // the first is always answered
  }
  // An error of the call is the first one's: its program may have been killed, the others' not. But all have waited.
  const bool too_late = ToErrno(outcomes.status()) == ETIMEDOUT;
  const size_t answered = outcomes.ok() ? std::min(outcomes->size(), batch.size()) : too_late ? batch.size() : 1;
  {
    const MutexLock lock(mutex_);
    NoteDuration(absl::Now() - begun);
    for (size_t i = batch.size(); i > answered; --i) WaitAgain(batch[i - 1]);
  }
  for (size_t i = 0; i < answered; ++i) {
    Finish(batch[i], outcomes.ok() ? std::move((*outcomes)[i]) : absl::StatusOr<absl::Cord>(outcomes.status()));
  }
}

std::vector<ReadCombiner::WaiterPtr> ReadCombiner::TakeBatch(const WaiterPtr& first) {
  std::vector<WaiterPtr> batch = {first};
  size_t bytes = first->range.size;
  const MutexLock lock(mutex_);
  const std::deque<WaiterPtr>& waiting = files_[first->node].waiting;
  while (!waiting.empty() && batch.size() < kMostRanges) {
    const Waiter& next = *waiting.front();
    bytes += next.range.size;
    if (bytes > kMostBytes || next.context.caller != first->context.caller) break;
    batch.push_back(TakeFirst(first->node));
  }
  return batch;
}

ReadCombiner::WaiterPtr ReadCombiner::NextToLead(NodeId node) {
  const MutexLock lock(mutex_);
  File& file = files_[node];
  if (!file.waiting.empty()) return TakeFirst(node);
  if (--file.calls == 0) files_.erase(node);
  return nullptr;
}

ReadCombiner::WaiterPtr ReadCombiner::TakeFirst(NodeId node) {
  std::deque<WaiterPtr>& waiting = files_[node].waiting;
  WaiterPtr first = std::move(waiting.front());
  waiting.pop_front();
  --waiting_;
  first->state = Waiter::State::kSent;
  return first;
}

void ReadCombiner::WaitAgain(const WaiterPtr& waiter) {
  if (waiter->stopped) return;  // the attendant answers it
  waiter->state = Waiter::State::kQueued;
  files_[waiter->node].waiting.push_front(waiter);
  ++waiting_;
  if (attendant_sleeps_) to_attend_.notify_all();
}

void ReadCombiner::Finish(const WaiterPtr& waiter, absl::StatusOr<absl::Cord> answer) {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(waiter->state, Waiter::State::kAnswered) == Waiter::State::kAnswered) return;
  }
  waiter->on_stop.reset();  // without the lock: it waits for an OnStop that runs
  std::move(waiter->done)(std::move(answer));
}

// On the thread that stops it, which may hold anything: the answer is given by the attendant.
void ReadCombiner::OnStop(Waiter& waiter) {
  const WaiterPtr self = waiter.weak_from_this().lock();  // the queue may have the only reference
  if (self == nullptr) return;                            // it is going
  const MutexLock lock(mutex_);
  waiter.stopped = true;
  if (waiter.state == Waiter::State::kNew || waiter.state == Waiter::State::kAnswered) return;
  if (waiter.state == Waiter::State::kQueued) {
    std::deque<WaiterPtr>& waiting = files_[waiter.node].waiting;
    waiting.erase(std::find(waiting.begin(), waiting.end(), self));
    --waiting_;
    waiter.state = Waiter::State::kSent;
  }
  stopped_.push_back(self);
  to_attend_.notify_all();
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

void ReadCombiner::Attend() {
  std::vector<WaiterPtr> stopped;
  std::vector<WaiterPtr> overdue;
  while (AwaitToAttend(stopped, overdue)) {
    for (const WaiterPtr& waiter : stopped) Finish(waiter, ErrnoStatus(EINTR, "read"));
    for (const WaiterPtr& waiter : overdue) SendAloneAside(waiter);
  }
}

bool ReadCombiner::AwaitToAttend(std::vector<WaiterPtr>& stopped, std::vector<WaiterPtr>& overdue) {
  MutexLock lock(mutex_);
  while (!ending_ && waiting_ == 0 && stopped_.empty()) {
    attendant_sleeps_ = true;
    lock.Wait(to_attend_);
    attendant_sleeps_ = false;
  }
  const TimePoint begun = std::chrono::steady_clock::now();
  if (!ending_ && stopped_.empty()) lock.WaitUntil(to_attend_, begun + patience_ / 2);
  stopped = std::exchange(stopped_, {});
  overdue.clear();
  const TimePoint before = std::chrono::steady_clock::now() - patience_;
  for (const auto& [node, file] : files_) {
    while (!file.waiting.empty() && file.waiting.front()->since <= before) overdue.push_back(TakeFirst(node));
  }
  return !ending_;
}

void ReadCombiner::SendAloneAside(const WaiterPtr& waiter) {
  {
    const MutexLock lock(mutex_);
    ++aside_;
  }
  const auto send = [this, waiter] {
    Finish(waiter, send_one_(waiter->context, waiter->range));
    const MutexLock lock(mutex_);
    --aside_;
    aside_ended_.notify_all();
  };
  try {
    std::thread(send).detach();
  } catch (const std::system_error&) {
    send();  // no more threads can be had: others wait meanwhile
  }
}

}  // namespace mirrorfs
