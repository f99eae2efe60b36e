#include "launcher/tunnel/conversation.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "launcher/system/child_process.h"
#include "launcher/system/process_identity.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr size_t kMostErrors = 4096;
// More than any answer has: what runs in a container may say anything.
constexpr size_t kMostReceived = 32 << 20;

}  // namespace

Conversation::Conversation(pid_t pid, UniqueFd stream, UniqueFd error_stream)
    : pid_(pid), stream_(std::move(stream)), error_stream_(std::move(error_stream)) {}

Conversation::Conversation(Conversation&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      stream_(std::move(other.stream_)),
      error_stream_(std::move(other.error_stream_)),
      received_(std::move(other.received_)),
      errors_(std::move(other.errors_)) {}

Conversation::~Conversation() { End(absl::ZeroDuration()); }

absl::StatusOr<Conversation> Conversation::Start(std::vector<std::string> command, std::vector<std::string> variables) {
  std::array<int, 2> stream;
  std::array<int, 2> errors;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream.data()) != 0) return LastErrno("socketpair");
  UniqueFd own_stream(stream[0]);
  const UniqueFd childs_stream(stream[1]);
  if (::pipe2(errors.data(), O_CLOEXEC) != 0) return LastErrno("pipe2");
  UniqueFd own_errors(errors[0]);
  const UniqueFd childs_errors(errors[1]);
  ASSIGN_OR_RETURN(const pid_t pid, StartTunnelChild({.command = std::move(command),
                                                      .variables = std::move(variables),
                                                      .stream = childs_stream.get(),
                                                      .errors = childs_errors.get()}));
  for (const int fd : {own_stream.get(), own_errors.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return Conversation(pid, std::move(own_stream), std::move(own_errors));
}

// What comes on stderr meanwhile is taken, so that the program is not held up by it.
absl::Status Conversation::Wait(short events, absl::Duration patience) {
  const int limit = static_cast<int>(absl::ToInt64Milliseconds(patience));
  while (true) {
    std::array<pollfd, 2> wait = {{{.fd = stream_.get(), .events = events, .revents = 0},
                                   {.fd = error_stream_ ? error_stream_.get() : -1, .events = POLLIN, .revents = 0}}};
    const int ready = ::poll(wait.data(), wait.size(), limit);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return absl::DeadlineExceededError("no answer");
    if (wait[1].revents != 0) ReceiveErrors();
    if (wait[0].revents != 0) return absl::OkStatus();
  }
}

absl::Status Conversation::Receive() {
  std::array<char, 16384> buffer;
  const ssize_t count = ::read(stream_.get(), buffer.data(), buffer.size());
  if (count > 0) received_.append(buffer.data(), static_cast<size_t>(count));
  const bool over = received_.size() > kMostReceived || count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
  return over ? absl::OutOfRangeError("it has ended") : absl::OkStatus();
}

void Conversation::ReceiveErrors() {
  std::array<char, 4096> buffer;
  const ssize_t count = ::read(error_stream_.get(), buffer.data(), buffer.size());
  if (count > 0) {
    errors_.append(buffer.data(), static_cast<size_t>(count));
    if (errors_.size() > kMostErrors) errors_.erase(0, errors_.size() - kMostErrors);
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    error_stream_.reset();
  }
}

absl::StatusOr<std::string> Conversation::ReadLine(absl::Duration patience) {
  size_t end = 0;
  while ((end = received_.find('\n')) == received_.npos) {
    RETURN_IF_ERROR(Wait(POLLIN, patience));
    RETURN_IF_ERROR(Receive());
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

absl::StatusOr<std::string> Conversation::ReadBytes(size_t count, absl::Duration patience) {
  while (received_.size() < count) {
    RETURN_IF_ERROR(Wait(POLLIN, patience));
    RETURN_IF_ERROR(Receive());
  }
  std::string bytes = received_.substr(0, count);
  received_.erase(0, count);
  return bytes;
}

absl::StatusOr<std::string> Conversation::ReadAll(absl::Duration patience) {
  while (true) {
    RETURN_IF_ERROR(Wait(POLLIN, patience));
    const absl::Status received = Receive();
    if (absl::IsOutOfRange(received)) return std::exchange(received_, {});
  }
}

absl::Status Conversation::Send(std::string_view bytes, absl::Duration patience) {
  while (!bytes.empty()) {
    RETURN_IF_ERROR(Wait(POLLIN | POLLOUT, patience));
    RETURN_IF_ERROR(Receive());
    if (!received_.empty()) return absl::OkStatus();
    const ssize_t count = ::send(stream_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) return absl::OutOfRangeError("it has ended");
  }
  return absl::OkStatus();
}

std::string Conversation::TakeErrors() {
  if (error_stream_) ReceiveErrors();
  return std::exchange(errors_, {});
}

bool Conversation::Drain() {
  const bool goes_on = Receive().ok();
  received_.clear();
  return goes_on;
}

int Conversation::End(absl::Duration grace) {
  if (pid_ == 0) return 0;
  if (stream_) ::shutdown(stream_.get(), SHUT_WR);
  WaitForEnd(IdentifyProcess(pid_), grace);
  KillTunnelChild(pid_);  // it, or what it has left behind
  const int status = Reap(std::exchange(pid_, 0));
  if (error_stream_) ReceiveErrors();
  stream_.reset();
  return status;
}

}  // namespace mirrorfs
