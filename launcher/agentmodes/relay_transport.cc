#include "launcher/agentmodes/relay_transport.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/system/child_process.h"
#include "launcher/tunnel/tunnel_child.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr std::chrono::seconds kReapInterval{1};

}  // namespace

RelayTransport::RelayTransport(boost::asio::io_context& context, std::vector<std::string> command, std::string protocol)
    : command_(std::move(command)), protocol_(std::move(protocol)), timer_(context) {}

RelayTransport::~RelayTransport() {
  for (const pid_t pid : running_) {
    KillTunnelChild(pid);
    Reap(pid);
  }
}

void RelayTransport::Connect(int port, Connected connected) {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return connected(LastErrno("socketpair"), [] {});
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  std::vector<std::string> command = command_;
  command.push_back(fmt::format("127.0.0.1:{}", port));
  const auto pid = StartTunnelChild({.command = command, .variables = {protocol_}, .stream = theirs.get()});
  if (!pid.ok()) return connected(pid.status(), [] {});
  if (running_.empty()) ReapEnded();
  running_.insert(*pid);
  // Once it is reaped its number may be another program's.
  connected(std::move(ours), [this, pid = *pid] {
    if (running_.contains(pid)) KillTunnelChild(pid);
  });
}

// Whoever has its stream notices its end at once; here it is only cleared away.
void RelayTransport::ReapEnded() {
  std::erase_if(running_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) == pid; });
  timer_.expires_after(kReapInterval);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) ReapEnded();
  });
}

}  // namespace mirrorfs
