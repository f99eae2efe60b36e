#include "fusefs/transfer/transfer_parts.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

#include "protos/shared/errno_status.h"

namespace mirrorfs {

void GiveBack(FileSystem& files, NodeId node) {
  if (node != NodeId::kRoot) files.Forget(std::array{ForgottenNode{.node = node, .count = 1}});
}

HandleId NextTransferHandle() {
  static std::atomic<uint64_t> last{0};
  return HandleId{last.fetch_add(1) + 1};
}

absl::Status WriteAll(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t count = ::write(fd, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return LastErrno("write");
    data.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

bool IsHole(std::string_view data) {
  return std::all_of(data.begin(), data.end(), [](char byte) { return byte == 0; });
}

}  // namespace mirrorfs
