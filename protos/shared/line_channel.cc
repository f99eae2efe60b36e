#include "protos/shared/line_channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::Status LineChannel::Send(std::string_view line) {
  std::string text(line);
  text.push_back('\n');
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return LastErrno("send");
    rest.remove_prefix(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

void LineChannel::Receive() {
  std::array<char, 16384> buffer;
  ssize_t count = 0;
  do {
    count = ::read(socket_.get(), buffer.data(), buffer.size());
  } while (count < 0 && errno == EINTR);
  if (count <= 0) {
    // EAGAIN: nothing there after all (or SO_RCVTIMEO has passed); the caller sees no line.
    at_end_ = count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    return;
  }
  received_.append(buffer.data(), static_cast<size_t>(count));
  if (received_.size() > kMaxLine && received_.find('\n') == received_.npos) {
    received_.clear();
    at_end_ = true;
  }
}

std::optional<std::string> LineChannel::Next() {
  const size_t newline = received_.find('\n');
  if (newline == received_.npos) return std::nullopt;
  std::string line = received_.substr(0, newline);
  received_.erase(0, newline + 1);
  return line;
}

}  // namespace mirrorfs
