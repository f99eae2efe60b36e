// The socket that the agent is reached at.
#ifndef MIRRORFS_AGENT_LISTENER_H_
#define MIRRORFS_AGENT_LISTENER_H_

#include <netinet/in.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

struct Listener {
  UniqueFd socket;
  std::string endpoint;     // as clients name it; with the real port
  std::string socket_path;  // to be removed at the end; empty for TCP
};

// unix:/PATH: bound with mode 0600 in a directory that others cannot write to. A socket that a dead agent has left
// there is replaced; one that somebody listens on is not.
// HOST:PORT: loopback only, unless `protected_by_tls`, which means that clients prove who they are.
// Messages are for a person. PERMISSION_DENIED, ALREADY_EXISTS (somebody listens), INVALID_ARGUMENT.
absl::StatusOr<Listener> ListenAt(const std::string& where, bool protected_by_tls);

// Of IPv4. INVALID_ARGUMENT if it is none.
absl::StatusOr<sockaddr_in> ParseAddress(const std::string& host_and_port);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_LISTENER_H_
