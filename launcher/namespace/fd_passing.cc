#include "launcher/namespace/fd_passing.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// A message of one byte with room for one descriptor.
struct Message {
  Message() {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
  }
  char byte = 0;
  iovec part = {.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};
};

}  // namespace

absl::Status SendDescriptor(const UniqueFd& socket, const UniqueFd& descriptor) {
  Message message;
  cmsghdr* const control = CMSG_FIRSTHDR(&message.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = descriptor.get();
  std::memcpy(CMSG_DATA(control), &fd, sizeof(fd));
  if (::sendmsg(socket.get(), &message.header, MSG_NOSIGNAL) != 1) return LastErrno("handing a descriptor over");
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> ReceiveDescriptor(const UniqueFd& socket) {
  Message message;
  const ssize_t count = ::recvmsg(socket.get(), &message.header, MSG_CMSG_CLOEXEC);
  if (count < 0) return LastErrno("waiting for a descriptor");
  const cmsghdr* const control = CMSG_FIRSTHDR(&message.header);
  if (count == 0 || control == nullptr || control->cmsg_type != SCM_RIGHTS ||
      control->cmsg_len != CMSG_LEN(sizeof(int))) {
    return ErrnoStatus(EPIPE, "no descriptor came");
  }
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(control), sizeof(fd));
  return UniqueFd(fd);
}

}  // namespace mirrorfs
