#include "agent/relay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/listener.h"
#include "agent/privileges/privileges.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

constexpr size_t kBufferBytes = 256 << 10;

absl::StatusOr<UniqueFd> ConnectToPort(const std::string& where) {
  ASSIGN_OR_RETURN(const sockaddr_in address, ParseAddress(where));
  UniqueFd connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection) return LastErrno("socket");
  const int on = 1;
  ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return absl::UnavailableError(
        fmt::format("relay {}: no agent answers there: {}", where, std::generic_category().message(errno)));
  }
  return connection;
}

absl::StatusOr<UniqueFd> ConnectToAgent(const std::string& socket_path) {
  if (!socket_path.starts_with('/')) return ConnectToPort(socket_path);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (socket_path.empty() || socket_path.size() >= sizeof address.sun_path) {
    return absl::InvalidArgumentError(fmt::format("relay {}: that cannot be the path of a socket", socket_path));
  }
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
  UniqueFd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection) return LastErrno("socket");
  if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return absl::UnavailableError(
        fmt::format("relay {}: no agent answers there: {}", socket_path, std::generic_category().message(errno)));
  }
  return connection;
}

bool WriteAll(int to, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t count = ::write(to, bytes, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

[[noreturn]] void CopyAndEnd(int from, int to) {
  std::vector<char> buffer(kBufferBytes);
  while (true) {
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || !WriteAll(to, buffer.data(), static_cast<size_t>(count))) ::_exit(0);
  }
}

}  // namespace

absl::Status RunRelay(const std::string& socket_path) {
  ASSIGN_OR_RETURN(const UniqueFd connection, ConnectToAgent(socket_path));
  RETURN_IF_ERROR(DropAllPrivileges());
  std::thread([agent = connection.get()] { CopyAndEnd(agent, STDOUT_FILENO); }).detach();
  CopyAndEnd(STDIN_FILENO, connection.get());
}

}  // namespace mirrorfs
