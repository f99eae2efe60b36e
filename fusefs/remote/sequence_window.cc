#include "fusefs/remote/sequence_window.h"

#include <utility>

namespace mirrorfs {
namespace {

// What does not fit into one request is told by answered_below later.
constexpr size_t kMostTold = 1024;

}  // namespace

uint64_t SequenceWindow::Begin() {
  MutexLock lock(mutex_);
  open_.insert(open_.end(), ++last_);
  return last_;
}

void SequenceWindow::End(uint64_t sequence) {
  MutexLock lock(mutex_);
  const bool oldest = *open_.begin() == sequence;
  open_.erase(sequence);
  if (!oldest && answered_.size() < kMostTold) answered_.push_back(sequence);
}

SequenceWindow::Acknowledgement SequenceWindow::Take() {
  MutexLock lock(mutex_);
  return {open_.empty() ? last_ + 1 : *open_.begin(), std::exchange(answered_, {})};
}

}  // namespace mirrorfs
