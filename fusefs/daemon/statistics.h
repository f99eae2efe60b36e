// What `mirrorfs stats` shows of a daemon.
#ifndef MIRRORFS_FUSEFS_DAEMON_STATISTICS_H_
#define MIRRORFS_FUSEFS_DAEMON_STATISTICS_H_

#include "absl/time/time.h"
#include "fusefs/kernel/fuse_session.h"
#include "fusefs/remote/remote_session.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// {"calls":{"Lookup":{"calls":..,"errors":..,"retries":..,"bytes_sent":..,"bytes_received":..}},"requests":{"lookup":..},
//  "total_calls":..,"total_requests":..,"memory_bytes":..,"uptime_seconds":..}
nlohmann::json CollectStatistics(const RemoteSession& remote, const FuseSession& fuse, absl::Time started);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_STATISTICS_H_
