#include "launcher/keeper/control_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"

namespace mirrorfs {
namespace {

bool IsAllowed(const UniqueFd& socket) {
  ucred peer;
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

}  // namespace

absl::Status ControlServer::Listen(const std::string& path) {
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof(address.sun_path)) {
    return Failure(ExitCode::kFailed, fmt::format("{}: the path is too long for a socket.", path));
  }
  path.copy(address.sun_path, path.size());
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener_ || ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener_.get(), 16) != 0) {
    return Failure(ExitCode::kFailed, fmt::format("{}: {}.", path, ErrnoText(errno)));
  }
  loop_.Watch(listener_.get(), POLLIN, [this] { OnConnection(); });
  return absl::OkStatus();
}

void ControlServer::Close() {
  while (!clients_.empty()) Drop(clients_.begin()->first);
  if (listener_) loop_.Unwatch(listener_.get());
  listener_.reset();
}

void ControlServer::OnConnection() {
  UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket || clients_.size() >= kMaxClients || !IsAllowed(socket)) return;
  const uint64_t client = ++last_client_;
  loop_.Watch(socket.get(), POLLIN, [this, client] { OnInput(client); });
  clients_.emplace(client, LineChannel(std::move(socket)));
}

void ControlServer::OnInput(uint64_t client) {
  const auto it = clients_.find(client);
  if (it == clients_.end()) return;
  it->second.Receive();
  const bool at_end = it->second.AtEnd();
  while (true) {
    const auto found = clients_.find(client);  // a handler may have closed everything
    if (found == clients_.end()) return;
    const auto line = found->second.Next();
    if (!line) break;
    const auto request = FromLine(*line);
    const Reply reply = [this, client](const nlohmann::json& answer) { Answer(client, answer); };
    if (request) {
      handler_(*request, reply);
    } else {
      reply(StatusToJson(Failure(ExitCode::kUsage, "a request is one JSON object a line")));
    }
  }
  if (at_end) Drop(client);
}

void ControlServer::Drop(uint64_t client) {
  const auto it = clients_.find(client);
  if (it == clients_.end()) return;
  loop_.Unwatch(it->second.fd());
  clients_.erase(it);
}

void ControlServer::Answer(uint64_t client, const nlohmann::json& answer) {
  const auto it = clients_.find(client);
  if (it != clients_.end() && !it->second.Send(ToLine(answer)).ok()) Drop(client);
}

}  // namespace mirrorfs
