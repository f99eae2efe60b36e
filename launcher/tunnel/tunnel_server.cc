#include "launcher/tunnel/tunnel_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

constexpr int kBacklog = 32;

absl::Status CannotListen(const std::string& path) {
  return Failure(ExitCode::kFailed, fmt::format("cannot listen at {}: {}.", path, ErrnoText(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TunnelServer>> TunnelServer::Listen(EventLoop& loop, const std::string& path,
                                                                   Carrier& carrier) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path) {
    return Failure(ExitCode::kFailed, fmt::format("{} is too long for a socket.", path));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return CannotListen(path);
  ::unlink(path.c_str());
  const mode_t before = ::umask(0177);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(before);
  errno = error;
  if (bound != 0 || ::listen(socket.get(), kBacklog) != 0) return CannotListen(path);
  std::unique_ptr<TunnelServer> server(new TunnelServer(loop, path, std::move(socket), carrier));
  loop.Watch(server->socket_.get(), POLLIN, [&server = *server] { server.OnConnection(); });
  return server;
}

TunnelServer::~TunnelServer() {
  loop_.Unwatch(socket_.get());
  ::unlink(path_.c_str());
}

void TunnelServer::OnConnection() {
  // Not SOCK_NONBLOCK: programs that are given it as their stdin would not expect that.
  UniqueFd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection) return;
  const absl::Status carried = carrier_.Carry(std::move(connection));
  if (!carried.ok()) fmt::print(stderr, "mirrorfs-tunnel: a connection is closed: {}\n", MessageOf(carried));
}

}  // namespace mirrorfs
