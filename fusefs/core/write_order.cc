#include "fusefs/core/write_order.h"

#include <algorithm>

#include "protos/shared/stoppable_wait.h"

namespace mirrorfs {

WriteOrder::Write::Write(WriteOrder& order, uint64_t offset, uint64_t size)
    : order_(order), offset_(offset), size_(size) {
  MutexLock lock(order_.mutex_);
  number_ = ++order_.writes_begun_;
  order_.writes_.push_back(this);
  for (Read* read : order_.reads_) read->overtaken_ |= Overlap(*read, *this);
}

WriteOrder::Write::~Write() {
  MutexLock lock(order_.mutex_);
  std::erase(order_.writes_, this);
  order_.write_over_.notify_all();
}

WriteOrder::Read::Read(WriteOrder& order, uint64_t offset, uint64_t size)
    : order_(order), offset_(offset), size_(size) {
  MutexLock lock(order_.mutex_);
  order_.reads_.push_back(this);
}

WriteOrder::Read::~Read() {
  MutexLock lock(order_.mutex_);
  std::erase(order_.reads_, this);
}

bool WriteOrder::Read::AwaitWrites(const std::stop_token& stop) {
  uint64_t last = 0;
  {
    MutexLock lock(order_.mutex_);
    overtaken_ = false;
    if (order_.writes_.empty()) return true;
    last = order_.writes_begun_;
  }
  return StoppableWait(order_.mutex_, order_.write_over_, stop, [this, last] {
    return std::none_of(order_.writes_.begin(), order_.writes_.end(),
                        [this, last](const Write* write) { return write->number_ <= last && Overlap(*this, *write); });
  });
}

bool WriteOrder::Read::Overtaken() const {
  MutexLock lock(order_.mutex_);
  return overtaken_;
}

}  // namespace mirrorfs
