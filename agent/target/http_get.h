// One HTTP request over a unix socket.
#ifndef MIRRORFS_AGENT_TARGET_HTTP_GET_H_
#define MIRRORFS_AGENT_TARGET_HTTP_GET_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace mirrorfs {

// The body of an answer of 200. Everything else is an error whose message begins with `who`: NOT_FOUND for 404,
// UNAVAILABLE for other answers, for a broken connection, and after 10 s. Starts no thread.
absl::StatusOr<std::string> HttpGet(std::string_view who, const std::string& socket_path, const std::string& target);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_HTTP_GET_H_
