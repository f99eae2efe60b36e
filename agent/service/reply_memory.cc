#include "agent/service/reply_memory.h"

#include <cerrno>
#include <utility>

namespace mirrorfs {

namespace {

constexpr size_t kMostRecords = 256 << 10;
constexpr size_t kRecordBytes = 192;  // in a map, without the answer

}  // namespace

ReplyMemory::~ReplyMemory() {
  const MutexLock lock(mutex_);
  memory_.GiveBack(bytes_ + records_.size() * kRecordBytes);
}

bool ReplyMemory::Accept(uint64_t sequence, Reply reply) {
  grpc::ByteBuffer answer = ErrorAnswer(EIO);  // for what is fenced, or was answered so long ago that it is forgotten
  {
    MutexLock lock(mutex_);
    auto found = records_.find(sequence);
    if (found == records_.end()) {
      if (sequence >= answered_below_) {
        if (records_.size() >= kMostRecords || !memory_.Take(kRecordBytes)) {
          reply.Fail(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many answers are not acknowledged"));
          return false;
        }
        records_[sequence].replies.push_back(std::move(reply));
        return true;
      }
    } else if (Record& record = found->second; record.state == State::kWaiting || record.state == State::kRunning) {
      record.replies.push_back(std::move(reply));
      return false;
    } else if (record.state == State::kDone && !record.answer_dropped) {
      answer = record.answer;
    }
  }
  reply.Answer(answer);
  return false;
}

bool ReplyMemory::Start(uint64_t sequence) {
  MutexLock lock(mutex_);
  auto found = records_.find(sequence);
  if (found == records_.end() || found->second.state != State::kWaiting) return false;
  found->second.state = State::kRunning;
  return true;
}

bool ReplyMemory::Suspend(uint64_t sequence) {
  std::vector<Reply> refused;
  {
    MutexLock lock(mutex_);
    auto found = records_.find(sequence);
    if (found == records_.end()) return false;
    Record& record = found->second;
    record.state = record.fence_wanted ? State::kFenced : State::kWaiting;
    if (!record.fence_wanted) return true;
    refused.swap(record.replies);
  }
  for (Reply& reply : refused) reply.Answer(ErrorAnswer(EIO));
  return false;
}

void ReplyMemory::Finish(uint64_t sequence, const grpc::ByteBuffer& answer) {
  std::vector<Reply> replies;
  {
    MutexLock lock(mutex_);
    auto found = records_.find(sequence);
    if (found == records_.end()) return;
    Record& record = found->second;
    replies.swap(record.replies);
    if (sequence < answered_below_) {
      Erase(found);
    } else if (record.state != State::kFenced) {
      record.state = State::kDone;
      record.answer = answer;
      bytes_ += answer.Length();
      memory_.Add(answer.Length());
    }
  }
  for (Reply& reply : replies) reply.Answer(answer);
}

void ReplyMemory::Refuse(uint64_t sequence, const grpc::Status& why) {
  std::vector<Reply> replies;
  {
    MutexLock lock(mutex_);
    auto found = records_.find(sequence);
    if (found == records_.end()) return;
    found->second.state = State::kFenced;
    replies.swap(found->second.replies);
  }
  for (Reply& reply : replies) reply.Fail(why);
}

FenceResult ReplyMemory::Fence(uint64_t sequence) {
  std::vector<Reply> refused;
  {
    MutexLock lock(mutex_);
    // What the client had an answer to is over.
    if (sequence < answered_below_ && !records_.contains(sequence)) return FenceResult::kDone;
    if (!records_.contains(sequence) && (records_.size() >= kMostRecords || !memory_.Take(kRecordBytes))) {
      return FenceResult::kRunning;
    }
    Record& record = records_[sequence];
    if (record.state == State::kRunning) {
      record.fence_wanted = true;
      return FenceResult::kRunning;
    }
    if (record.state == State::kDone) return FenceResult::kDone;
    record.state = State::kFenced;
    refused.swap(record.replies);
  }
  for (Reply& reply : refused) reply.Answer(ErrorAnswer(EIO));
  return FenceResult::kNever;
}

void ReplyMemory::Acknowledge(uint64_t answered_below, absl::Span<const uint64_t> answered) {
  MutexLock lock(mutex_);
  for (uint64_t sequence : answered) {
    auto found = records_.find(sequence);
    if (found != records_.end() && found->second.state == State::kDone) Drop(found->second);
  }
  if (answered_below <= answered_below_) return;
  answered_below_ = answered_below;
  for (auto record = records_.begin(); record != records_.end() && record->first < answered_below;) {
    // One that still runs answers whoever waits for it; Finish removes it.
    if (record->second.state == State::kWaiting || record->second.state == State::kRunning) {
      ++record;
      continue;
    }
    record = Erase(record);
  }
}

ReplyMemory::Records::iterator ReplyMemory::Erase(Records::iterator record) {
  Drop(record->second);
  memory_.GiveBack(kRecordBytes);
  return records_.erase(record);
}

void ReplyMemory::Drop(Record& record) {
  bytes_ -= record.answer.Length();
  memory_.GiveBack(record.answer.Length());
  record.answer.Clear();
  record.answer_dropped = true;
}

}  // namespace mirrorfs
