#include "agent/target/read_all.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

absl::StatusOr<std::string> ReadAll(int fd) {
  constexpr size_t kMostBytes = size_t{16} << 20;
  std::string text;
  std::array<char, 16384> buffer;
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return LastErrno("read");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
    if (text.size() > kMostBytes) return ErrnoStatus(EFBIG, "read");
  }
}

absl::StatusOr<std::string> ReadAllOf(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return LastErrno(path);
  return ReadAll(file.get());
}

}  // namespace mirrorfs
