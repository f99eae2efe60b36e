#include "fusefs/kernel/connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "fmt/format.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

constexpr unsigned kWanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS |
                             FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_DONT_MASK | FUSE_CAP_AUTO_INVAL_DATA |
                             FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS;

// Copies through pipes cost more than they save here, and direct I/O that cannot be interrupted hangs killed programs.
// suid, sgid and capabilities that a write clears: this kernel asks for it, as libfuse 3.14 does not pass on that the
// agent would do it.
constexpr unsigned kUnwanted = FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                               FUSE_CAP_ASYNC_DIO | FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_WRITEBACK_CACHE |
                               FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT;

// The protocol's minor version that has FUSE_NOTIFY_INC_EPOCH, and that message's number (linux/fuse.h, kernel 6.16).
constexpr unsigned kMinorWithEpochs = 44;
constexpr int32_t kNotifyIncrementEpoch = 8;

constexpr unsigned kMaxBackground = 256;
constexpr unsigned kReadAheadBytes = 1 << 20;

}  // namespace

void IntroduceToKernel(Edge& edge, fuse_conn_info& connection) {
  connection.want |= connection.capable & kWanted;
  // With it the kernel's own permission check knows ACLs; it implies default_permissions.
  if (edge.options.default_permissions) connection.want |= connection.capable & FUSE_CAP_POSIX_ACL;
  connection.want &= ~kUnwanted;
  connection.max_write = std::min(connection.max_write, edge.options.max_write);
  connection.max_read = edge.options.max_read;  // the same as in the mount options
  connection.max_readahead = kReadAheadBytes;
  connection.max_background = kMaxBackground;
  connection.congestion_threshold = kMaxBackground * 3 / 4;
  connection.time_gran = 1;
  edge.kernel_has_epochs = connection.proto_minor >= kMinorWithEpochs;
}

void ExpireKernelNames(int fuse_fd) {
  struct {
    uint32_t length;
    int32_t code;
    uint64_t unique;
  } const message = {.length = sizeof(message), .code = kNotifyIncrementEpoch, .unique = 0};
  // A kernel that does not take it keeps names for entry_timeout.
  [[maybe_unused]] const ssize_t written = ::write(fuse_fd, &message, sizeof(message));
}

void RaiseKernelReadAhead(const std::string& mountpoint) {
  // The device number from the mount table: asking the mount itself would be a request to ourselves.
  std::ifstream mounts("/proc/self/mountinfo");
  std::string device;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string id, parent, dev, root, point;
    fields >> id >> parent >> dev >> root >> point;
    if (point == mountpoint) device = dev;
  }
  const UniqueFd file(::open(fmt::format("/sys/class/bdi/{}/read_ahead_kb", device).c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return;
  const std::string value = std::to_string(kReadAheadBytes / 1024);
  [[maybe_unused]] const ssize_t written = ::write(file.get(), value.data(), value.size());
}

}  // namespace mirrorfs
