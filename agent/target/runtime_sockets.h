// Which of the places where a runtime may listen does answer.
#ifndef MIRRORFS_AGENT_TARGET_RUNTIME_SOCKETS_H_
#define MIRRORFS_AGENT_TARGET_RUNTIME_SOCKETS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

// The sockets that accept a connection, in the order given; without any UNAVAILABLE, or PERMISSION_DENIED if there is
// one that may not be opened. Both name every socket that was tried. "unix://" in front of a path is dropped.
absl::StatusOr<std::vector<std::string>> AnsweringSockets(std::string_view runtime,
                                                          const std::vector<std::string>& candidates);

// `chosen` alone if it is not empty; else what the environment variable names (a unix:// address; other kinds are
// INVALID_ARGUMENT, since what they name is not on this machine); else `usual`.
absl::StatusOr<std::vector<std::string>> SocketCandidates(const std::string& chosen, const char* environment_variable,
                                                          std::vector<std::string> usual);

// "$XDG_RUNTIME_DIR/name" where that is set: where an ordinary user's own runtime listens.
std::vector<std::string> UserSocket(std::string_view name);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_RUNTIME_SOCKETS_H_
