// Counts what is sent and answered, by method. Thread-safe, without locks.
#ifndef MIRRORFS_FUSEFS_REMOTE_CALL_COUNTERS_H_
#define MIRRORFS_FUSEFS_REMOTE_CALL_COUNTERS_H_

#include <array>
#include <atomic>
#include <map>
#include <string>

#include "fusefs/remote/methods.h"
#include "fusefs/remote/remote_session.h"

namespace mirrorfs {

class CallCounters {
 public:
  void Sent(Method method, bool retry) {
    Of(method).calls.fetch_add(1, std::memory_order_relaxed);
    if (retry) Of(method).retries.fetch_add(1, std::memory_order_relaxed);
  }
  void Error(Method method) { Of(method).errors.fetch_add(1, std::memory_order_relaxed); }
  void BytesSent(Method method, uint64_t bytes) { Of(method).bytes_sent.fetch_add(bytes, std::memory_order_relaxed); }
  void BytesReceived(Method method, uint64_t bytes) {
    Of(method).bytes_received.fetch_add(bytes, std::memory_order_relaxed);
  }
  // By name; only methods that were called.
  std::map<std::string, MethodCount> Read() const;

 private:
  struct Count {
    std::atomic<uint64_t> calls = 0;
    std::atomic<uint64_t> errors = 0;
    std::atomic<uint64_t> retries = 0;
    std::atomic<uint64_t> bytes_sent = 0;
    std::atomic<uint64_t> bytes_received = 0;
  };
  Count& Of(Method method) { return counts_[static_cast<size_t>(method)]; }

  std::array<Count, static_cast<size_t>(Method::kCount)> counts_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_CALL_COUNTERS_H_
