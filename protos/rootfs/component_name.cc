#include "protos/rootfs/component_name.h"

#include <cerrno>

#include "protos/shared/errno_status.h"
#include "protos/shared/file_types.h"

namespace mirrorfs {

absl::Status CheckComponentName(std::string_view name) {
  if (name.empty() || name == "." || name == "..") return ErrnoStatus(EINVAL);
  if (name.find('/') != name.npos || name.find('\0') != name.npos) return ErrnoStatus(EINVAL);
  if (name.size() > kMaxNameBytes) return ErrnoStatus(ENAMETOOLONG);
  return absl::OkStatus();
}

}  // namespace mirrorfs
