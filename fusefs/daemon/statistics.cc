#include "fusefs/daemon/statistics.h"

#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace mirrorfs {
namespace {

// Resident memory: the second number of /proc/self/statm, in pages.
uint64_t MemoryBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

nlohmann::json CollectStatistics(const RemoteSession& remote, const FuseSession& fuse, absl::Time started) {
  nlohmann::json calls = nlohmann::json::object();
  uint64_t total_calls = 0;
  for (const auto& [method, count] : remote.Counts()) {
    total_calls += count.calls;
    calls[method] = {{"calls", count.calls},
                     {"errors", count.errors},
                     {"retries", count.retries},
                     {"bytes_sent", count.bytes_sent},
                     {"bytes_received", count.bytes_received}};
  }
  nlohmann::json requests = nlohmann::json::object();
  uint64_t total_requests = 0;
  for (const auto& [name, count] : fuse.RequestCounts()) {
    total_requests += count;
    requests[name] = count;
  }
  return {{"calls", calls},
          {"requests", requests},
          {"total_calls", total_calls},
          {"total_requests", total_requests},
          {"memory_bytes", MemoryBytes()},
          {"uptime_seconds", absl::ToDoubleSeconds(absl::Now() - started)}};
}

}  // namespace mirrorfs
