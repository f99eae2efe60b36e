#include "launcher/agentmodes/receive_exactly.h"

#include <sys/socket.h>

#include <cerrno>

#include "launcher/failure.h"

namespace mirrorfs {

absl::StatusOr<std::string> ReceiveExactly(int socket, size_t size) {
  std::string bytes(size, '\0');
  for (size_t done = 0; done < size;) {
    const ssize_t count = ::recv(socket, bytes.data() + done, size - done, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return Failure(ExitCode::kUnreachable,
                     "the agent does not tell what the target's process is like: the connection to it broke.");
    }
    done += static_cast<size_t>(count);
  }
  return bytes;
}

}  // namespace mirrorfs
