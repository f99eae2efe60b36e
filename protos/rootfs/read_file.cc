#include "protos/rootfs/read_file.h"

#include <unistd.h>

#include <cerrno>

#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::StatusOr<size_t> ReadFully(int fd, char* buffer, size_t size, uint64_t offset) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = ::pread(fd, buffer + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return LastErrno("pread");
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

absl::StatusOr<std::string> ReadStart(int fd, size_t size) {
  std::string data(size, '\0');
  ASSIGN_OR_RETURN(const size_t count, ReadFully(fd, data.data(), size, 0));
  data.resize(count);
  return data;
}

}  // namespace mirrorfs
