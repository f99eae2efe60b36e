#include "protos/wire/check.h"

#include <cerrno>

#include "protos/shared/errno_status.h"
#include "protos/shared/file_types.h"

namespace mirrorfs {

absl::Status CheckName(std::string_view name) {
  if (name.size() > kMaxNameBytes) return ErrnoStatus(ENAMETOOLONG, "name");
  if (name.empty() || name == "." || name == "..") return ErrnoStatus(EINVAL, "name");
  if (name.find('/') != name.npos || name.find('\0') != name.npos) return ErrnoStatus(EINVAL, "name");
  return absl::OkStatus();
}

absl::Status CheckTarget(std::string_view target) {
  if (target.empty()) return ErrnoStatus(ENOENT, "link target");
  if (target.size() > kMaxTargetBytes) return ErrnoStatus(ENAMETOOLONG, "link target");
  if (target.find('\0') != target.npos) return ErrnoStatus(EINVAL, "link target");
  return absl::OkStatus();
}

absl::Status CheckXattrName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes) return ErrnoStatus(ERANGE, "extended attribute name");
  if (name.find('\0') != name.npos) return ErrnoStatus(EINVAL, "extended attribute name");
  return absl::OkStatus();
}

}  // namespace mirrorfs
