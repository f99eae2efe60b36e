// What a shared agent counts, and how Prometheus reads it.
#ifndef MIRRORFS_AGENT_SHARED_METRICS_H_
#define MIRRORFS_AGENT_SHARED_METRICS_H_

#include <cstdint>
#include <map>
#include <string>

#include "protos/preface/preface.h"

namespace mirrorfs {

// Not thread-safe: lives in the front's thread.
struct Metrics {
  std::map<PrefaceCode, uint64_t> attaches;  // lines of the audit, by what came of it
  uint64_t crowded_out = 0;                  // connections closed because too many were waiting to be let in
  uint64_t agents_started = 0;
  uint64_t bytes_to_clients = 0;
  uint64_t bytes_from_clients = 0;
  uint64_t sessions = 0;     // now
  uint64_t connections = 0;  // now
};

const char* ToWord(PrefaceCode code);

// Prometheus' text format, version 0.0.4.
std::string ToText(const Metrics& metrics);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_METRICS_H_
