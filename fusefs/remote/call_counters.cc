#include "fusefs/remote/call_counters.h"

namespace mirrorfs {

std::map<std::string, MethodCount> CallCounters::Read() const {
  std::map<std::string, MethodCount> all;
  for (size_t i = 0; i < counts_.size(); ++i) {
    const Count& count = counts_[i];
    if (count.calls == 0) continue;
    MethodCount& sum = all[std::string(kMethodFacts[i].name)];  // Open has two rows
    sum.calls += count.calls;
    sum.errors += count.errors;
    sum.retries += count.retries;
    sum.bytes_sent += count.bytes_sent;
    sum.bytes_received += count.bytes_received;
  }
  return all;
}

}  // namespace mirrorfs
