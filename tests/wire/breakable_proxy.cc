#include "tests/wire/breakable_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace mirrorfs {
namespace {

constexpr int kPollMs = 5;  // how soon a carrier sees that something has changed

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

}  // namespace

BreakableProxy::BreakableProxy(std::string path, std::string agent_path)
    : path_(std::move(path)), agent_path_(std::move(agent_path)) {
  listener_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = AddressOf(path_);
  unlink(path_.c_str());
  if (bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_.get(), 16) != 0) {
    abort();  // a test can do nothing without
  }
  accepting_ = std::thread([this] { Accept(); });
}

BreakableProxy::~BreakableProxy() {
  stopped_ = true;
  accepting_.join();
  std::vector<std::thread> carriers;
  {
    MutexLock lock(mutex_);
    carriers.swap(carriers_);
  }
  for (std::thread& carrier : carriers) carrier.join();
}

void BreakableProxy::Cut() {
  MutexLock lock(mutex_);
  for (const auto& pair : pairs_) {
    pair->over = true;
    shutdown(pair->client.get(), SHUT_RDWR);
    shutdown(pair->agent.get(), SHUT_RDWR);
  }
  drop_replies_ = false;
}

void BreakableProxy::Stall() {
  MutexLock lock(mutex_);
  for (const auto& pair : pairs_) pair->stalled = true;
}

void BreakableProxy::Accept() {
  while (!stopped_) {
    pollfd watched{listener_.get(), POLLIN, 0};
    if (poll(&watched, 1, kPollMs) <= 0) continue;
    auto pair = std::make_unique<Pair>();
    pair->client.reset(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    pair->agent.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = AddressOf(agent_path_);
    if (connect(pair->agent.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) continue;
    MutexLock lock(mutex_);
    carriers_.emplace_back([this, raw = pair.get()] { Carry(*raw); });
    pairs_.push_back(std::move(pair));
  }
}

void BreakableProxy::Carry(Pair& pair) {
  while (!stopped_ && !pair.over) {
    pollfd watched[2] = {{pair.client.get(), POLLIN, 0}, {pair.agent.get(), POLLIN, 0}};
    const bool still = frozen_ || pair.stalled;
    if (poll(watched, still ? 0 : 2, kPollMs) <= 0 || frozen_ || pair.stalled) continue;
    if (watched[0].revents != 0 && !Pass(pair.client.get(), pair.agent.get(), false)) break;
    if (watched[1].revents != 0 && !Pass(pair.agent.get(), pair.client.get(), drop_replies_)) break;
  }
  shutdown(pair.client.get(), SHUT_RDWR);
  shutdown(pair.agent.get(), SHUT_RDWR);
}

bool BreakableProxy::Pass(int from, int to, bool drop) {
  char bytes[65536];
  const ssize_t size = recv(from, bytes, sizeof bytes, 0);
  if (size <= 0) return false;
  if (drop) return true;
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t now = send(to, bytes + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
    if (now <= 0) return false;
    sent += now;
  }
  return true;
}

}  // namespace mirrorfs
