// A command's end of a keeper's control socket.
#ifndef MIRRORFS_LAUNCHER_CONTROL_CLIENT_H_
#define MIRRORFS_LAUNCHER_CONTROL_CLIENT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// Sends one request and waits for its answer. Fails with kUnreachable if no keeper listens or none answers in time;
// with what the keeper said if that was not "ok".
absl::StatusOr<nlohmann::json> AskKeeper(const std::string& socket_path, const nlohmann::json& request,
                                         absl::Duration limit);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONTROL_CLIENT_H_
