#include "agent/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr int kBacklog = 128;
constexpr std::string_view kUnixPrefix = "unix:";

std::string LastError() { return std::generic_category().message(errno); }

absl::Status CheckDirectory(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  struct stat found;
  if (stat(directory.c_str(), &found) != 0) {
    return absl::InvalidArgumentError(fmt::format("cannot listen at {}: {}: {}", path, directory, LastError()));
  }
  if ((found.st_uid != geteuid() && found.st_uid != 0) || (found.st_mode & 022) != 0) {
    return absl::PermissionDeniedError(
        fmt::format("cannot listen at {}: others can write to {}; use a directory that is yours alone (mode 0700)",
                    path, directory));
  }
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> Socket(int family) {
  UniqueFd made(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made) return absl::InternalError(fmt::format("no socket: {}", LastError()));
  return made;
}

// Removes what a dead agent has left.
absl::Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat found;
  if (lstat(path.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISSOCK(found.st_mode)) {
    return absl::AlreadyExistsError(fmt::format("cannot listen at {}: it exists, and is not a socket", path));
  }
  ASSIGN_OR_RETURN(const UniqueFd probe, Socket(AF_UNIX));
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN) {
    return absl::AlreadyExistsError(fmt::format("cannot listen at {}: another agent does already", path));
  }
  if (unlink(path.c_str()) != 0) {
    return absl::PermissionDeniedError(fmt::format("cannot replace the socket {}: {}", path, LastError()));
  }
  return absl::OkStatus();
}

absl::StatusOr<Listener> ListenAtPath(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.empty() || path.front() != '/') {
    return absl::InvalidArgumentError(fmt::format("--listen unix:{}: an absolute path is needed", path));
  }
  if (path.size() >= sizeof address.sun_path) {
    return absl::InvalidArgumentError(fmt::format(
        "--listen unix:{}: longer than the {} bytes that a socket's path may have", path, sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  RETURN_IF_ERROR(CheckDirectory(path));
  RETURN_IF_ERROR(RemoveStale(path, address));
  ASSIGN_OR_RETURN(UniqueFd socket, Socket(AF_UNIX));
  const mode_t before = umask(0177);  // no other thread exists yet
  const int bound = bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  umask(before);
  errno = error;
  if (bound != 0 || listen(socket.get(), kBacklog) != 0) {
    return absl::PermissionDeniedError(fmt::format("cannot listen at {}: {}", path, LastError()));
  }
  return Listener{std::move(socket), "unix:" + path, path};
}

absl::StatusOr<Listener> ListenAtPort(const std::string& where, bool protected_by_tls) {
  absl::StatusOr<sockaddr_in> parsed = ParseAddress(where);
  if (!parsed.ok())
    return absl::InvalidArgumentError(fmt::format("--listen {}: not unix:/PATH or ADDRESS:PORT", where));
  sockaddr_in address = *parsed;
  const bool loopback = (ntohl(address.sin_addr.s_addr) >> 24) == 127;
  if (!loopback && !protected_by_tls) {
    return absl::InvalidArgumentError(fmt::format(
        "--listen {}: an address that others can reach needs --tls-cert, --tls-key, --tls-ca and --token-file, or "
        "--own-certificate",
        where));
  }
  ASSIGN_OR_RETURN(UniqueFd socket, Socket(AF_INET));
  // Lets an agent that restarts have its port again; without SO_REUSEPORT nobody shares it.
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(socket.get(), kBacklog) != 0) {
    return absl::AlreadyExistsError(fmt::format("cannot listen at {}: {}", where, LastError()));
  }
  socklen_t size = sizeof address;
  getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  char host[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
  return Listener{std::move(socket), fmt::format("{}:{}", host, ntohs(address.sin_port)), ""};
}

}  // namespace

absl::StatusOr<sockaddr_in> ParseAddress(const std::string& where) {
  const size_t colon = where.rfind(':');
  int port = -1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::string host = where.substr(0, colon == where.npos ? 0 : colon);
  if (host == "localhost") host = "127.0.0.1";
  if (colon == where.npos || !absl::SimpleAtoi(where.substr(colon + 1), &port) || port < 0 || port > 65535 ||
      inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return absl::InvalidArgumentError(fmt::format("{}: not ADDRESS:PORT", where));
  }
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

absl::StatusOr<Listener> ListenAt(const std::string& where, bool protected_by_tls) {
  if (where.starts_with(kUnixPrefix)) return ListenAtPath(where.substr(kUnixPrefix.size()));
  return ListenAtPort(where, protected_by_tls);
}

}  // namespace mirrorfs
