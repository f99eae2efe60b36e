#include "protos/rootfs/link_target.h"

#include <unistd.h>

#include <climits>

#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::StatusOr<std::string> ReadLinkTarget(int directory, const char* name, uint64_t size_hint) {
  std::string target;
  // One byte more than expected tells a target that has become longer.
  for (size_t room = size_hint > 0 && size_hint < PATH_MAX ? size_hint + 1 : PATH_MAX;; room = PATH_MAX) {
    target.resize(room);
    const ssize_t length = ::readlinkat(directory, name, target.data(), target.size());
    if (length < 0) return LastErrno("readlinkat");
    if (static_cast<size_t>(length) == room && room < PATH_MAX) continue;
    target.resize(static_cast<size_t>(length));
    return target;
  }
}

}  // namespace mirrorfs
