#include "fusefs/remote/give_back_queue.h"

#include <chrono>
#include <utility>

namespace mirrorfs {
namespace {

constexpr size_t kFullBatch = 256;
constexpr std::chrono::milliseconds kGatherTime{50};
constexpr std::chrono::seconds kLastMoment{2};
// Nobody waits for it, and it must not be lost while the session lives.
constexpr absl::Duration kPatience = absl::Hours(24);

}  // namespace

GiveBackQueue::GiveBackQueue(RemoteCaller& caller, SessionLink& link)
    : caller_(caller), link_(link), thread_([this](const std::stop_token& abandon) { RunThread(abandon); }) {}

void GiveBackQueue::Close() {
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    closed_ = true;
    changed_.notify_all();
    const auto until = std::chrono::steady_clock::now() + kLastMoment;
    while ((queued_ > 0 || !idle_) && lock.WaitUntil(changed_, until) != std::cv_status::timeout) {
    }
  }
  thread_.request_stop();
  thread_.join();
}

void GiveBackQueue::Forget(Generation generation, const ForgottenNode& node) {
  MutexLock lock(mutex_);
  if (closed_) return;
  BatchOf(generation).nodes.push_back(node);
  Queued();
}

void GiveBackQueue::Release(Generation generation, HandleId handle, bool urgent) {
  MutexLock lock(mutex_);
  if (closed_) return;
  BatchOf(generation).handles.push_back(handle);
  urgent_ |= urgent;
  Queued();
}

GiveBackQueue::Batch& GiveBackQueue::BatchOf(Generation generation) {
  if (batches_.empty() || batches_.back().generation != generation) batches_.push_back({generation, {}, {}});
  return batches_.back();
}

void GiveBackQueue::Queued() {
  ++queued_;
  if (queued_ == 1 || queued_ >= kFullBatch || urgent_) changed_.notify_all();
}

void GiveBackQueue::RunThread(const std::stop_token& abandon) {
  while (std::optional<Batch> batch = NextBatch()) {
    if (!abandon.stop_requested()) Send(*batch, abandon);
  }
}

std::optional<GiveBackQueue::Batch> GiveBackQueue::NextBatch() {
  MutexLock lock(mutex_);
  idle_ = true;
  changed_.notify_all();
  while (queued_ == 0 && !closed_) lock.Wait(changed_);
  if (queued_ == 0) return std::nullopt;
  const auto until = std::chrono::steady_clock::now() + kGatherTime;
  while (queued_ < kFullBatch && !urgent_ && !closed_) {
    if (lock.WaitUntil(changed_, until) == std::cv_status::timeout) break;
  }
  Batch batch = std::move(batches_.front());
  batches_.erase(batches_.begin());
  queued_ -= batch.nodes.size() + batch.handles.size();
  if (queued_ == 0) urgent_ = false;
  idle_ = false;
  return batch;
}

void GiveBackQueue::Send(const Batch& batch, const std::stop_token& abandon) {
  const CallContext context{.caller = {}, .deadline = absl::Now() + kPatience, .stop = abandon};
  const absl::StatusOr<SessionLink::Session> session = link_.Present(context.deadline, abandon);
  if (!session.ok() || session->generation != batch.generation) return;
  v1::EmptyReply reply;
  if (!batch.handles.empty()) {
    v1::ReleaseRequest request;
    for (HandleId handle : batch.handles) request.add_handles()->set_handle(ToNumber(handle));
    // An error concerns nobody: the handle is gone either way.
    (void)caller_.Call(Method::kRelease, context, request, reply, &v1::FileSystem::Stub::Release).status();
  }
  if (!batch.nodes.empty()) {
    v1::ForgetRequest request;
    for (const ForgottenNode& node : batch.nodes) {
      v1::ForgetNode& packed = *request.add_nodes();
      packed.set_node(ToNumber(node.node));
      packed.set_count(node.count);
    }
    (void)caller_.Call(Method::kForget, context, request, reply, &v1::FileSystem::Stub::Forget).status();
  }
}

}  // namespace mirrorfs
