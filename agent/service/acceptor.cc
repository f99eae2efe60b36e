#include "agent/service/acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// How long to wait when the process is out of descriptors or memory.
constexpr int kPauseMs = 100;

}  // namespace

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Start(UniqueFd listener, Accept accept) {
  UniqueFd wake(eventfd(0, EFD_CLOEXEC));
  if (!wake) return LastErrno("eventfd");
  return std::unique_ptr<Acceptor>(new Acceptor(std::move(listener), std::move(wake), std::move(accept)));
}

Acceptor::Acceptor(UniqueFd listener, UniqueFd wake, Accept accept)
    : listener_(std::move(listener)),
      wake_(std::move(wake)),
      accept_(std::move(accept)),
      thread_([this] { RunThread(); }) {}

Acceptor::~Acceptor() {
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

void Acceptor::RunThread() {
  pollfd watched[2] = {{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
  while (true) {
    if (poll(watched, 2, -1) < 0 && errno != EINTR) return;
    if (watched[0].revents != 0) return;
    UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection) {
      accept_(listener_.get(), std::move(connection));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      poll(watched, 1, kPauseMs);
    }
  }
}

}  // namespace mirrorfs
