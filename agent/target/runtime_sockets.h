// Which of the places where a runtime may listen does answer.
#ifndef MIRRORFS_AGENT_TARGET_RUNTIME_SOCKETS_H_
#define MIRRORFS_AGENT_TARGET_RUNTIME_SOCKETS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

// The sockets that accept a connection, in the order given; without any UNAVAILABLE, or PERMISSION_DENIED if there is
// one that may not be opened. Both name every socket that was tried. "unix://" in front of a path is dropped.
absl::StatusOr<std::vector<std::string>> AnsweringSockets(std::string_view runtime,
                                                          const std::vector<std::string>& candidates);

enum class Runtime : uint8_t { kDocker, kPodman, kContainerd, kCri };

inline constexpr std::array kAllRuntimes = {Runtime::kDocker, Runtime::kPodman, Runtime::kContainerd, Runtime::kCri};

// "docker"
std::string_view ToWord(Runtime runtime);

// Those of the runtime's sockets that answer: of `chosen` alone if it is not empty; else of what the runtime's variable
// in the environment names (a unix:// address; other kinds are INVALID_ARGUMENT, since what they name is not on this
// machine); else of the usual places, an ordinary user's own below $XDG_RUNTIME_DIR included.
absl::StatusOr<std::vector<std::string>> AnsweringSocketsOf(Runtime runtime, const std::string& chosen);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_RUNTIME_SOCKETS_H_
