#include "agent/service/session_account.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace mirrorfs {
namespace {

// One large read at a time, for each of 64 sessions, whatever the others do.
constexpr size_t kAlwaysBytes = (1 << 20) + (64 << 10);
// Of the 256 MB that an agent may need in all; the rest is the program, its threads, and what gRPC reads ahead.
constexpr Budget::Options kMemory = {.total = 48 << 20, .always = kAlwaysBytes, .reserve = 64 * kAlwaysBytes};
// What gRPC and we need for a request, however short it and its answer are.
constexpr size_t kCallBytes = 8 << 10;
// Of what the tables remember of an open file.
constexpr size_t kOpenFileBytes = 512;
constexpr size_t kAlwaysOpenFiles = 64;
constexpr size_t kMostOpenFiles = 64 << 10;

}  // namespace

AgentBudgets AgentBudgets::Make() {
  rlimit limit = {};
  size_t descriptors = kMostOpenFiles;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) descriptors = limit.rlim_cur;
  // The others are for connections, and for finding files.
  const size_t open_files = std::min(descriptors / 4 * 3, kMostOpenFiles);
  return {.memory = std::make_shared<Budget>(kMemory),
          .open_files = std::make_shared<Budget>(
              Budget::Options{.total = open_files, .always = kAlwaysOpenFiles, .reserve = descriptors / 8})};
}

InFlight::~InFlight() {
  // gRPC, too, has told this thread that the answer is through; but what it does so by is not seen by TSan.
  (void)answered_.load(std::memory_order_acquire);
  account_->memory_.GiveBack(bytes_);
  account_->in_flight_.fetch_sub(1, std::memory_order_relaxed);
}

void InFlight::Answered(size_t bytes) {
  bytes += kCallBytes;
  if (bytes > bytes_) account_->memory_.Add(bytes - bytes_);
  if (bytes < bytes_) account_->memory_.GiveBack(bytes_ - bytes);
  bytes_ = bytes;
  answered_.store(true, std::memory_order_release);
}

std::unique_ptr<InFlight> SessionAccount::Enter(size_t request_bytes, size_t answer_bytes) {
  const size_t bytes = request_bytes + answer_bytes + kCallBytes;
  const bool too_many = in_flight_.fetch_add(1, std::memory_order_relaxed) >= max_in_flight_;
  if (!too_many && memory_.Take(bytes)) return std::make_unique<InFlight>(shared_from_this(), bytes);
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  return nullptr;
}

std::shared_ptr<void> SessionAccount::OpenFile() {
  if (!open_files_.Take(1)) return nullptr;
  if (!memory_.Take(kOpenFileBytes)) {
    open_files_.GiveBack(1);
    return nullptr;
  }
  return std::shared_ptr<void>(this, [self = shared_from_this()](void*) {
    self->open_files_.GiveBack(1);
    self->memory_.GiveBack(kOpenFileBytes);
  });
}

}  // namespace mirrorfs
