#include "protos/rootfs/posix_acl.h"

#include <cerrno>
#include <cstring>
#include <functional>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// linux/posix_acl_xattr.h: a 32-bit version, then entries of tag, permissions (16 bits each) and id (32 bits), all
// little-endian, as are the machines that the agent runs on.
constexpr size_t kHeaderBytes = 4;
constexpr size_t kEntryBytes = 8;
constexpr size_t kIdOffset = 4;
constexpr uint16_t kUserTag = 0x02;
constexpr uint16_t kGroupTag = 0x08;
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

using ChangeId = std::function<std::optional<uint32_t>(uint32_t)>;

bool ChangeIds(std::string& value, const ChangeId& change_uid, const ChangeId& change_gid) {
  for (size_t entry = kHeaderBytes; entry + kEntryBytes <= value.size(); entry += kEntryBytes) {
    uint16_t tag = 0;
    uint32_t id = 0;
    std::memcpy(&tag, value.data() + entry, sizeof(tag));
    if (tag != kUserTag && tag != kGroupTag) continue;
    std::memcpy(&id, value.data() + entry + kIdOffset, sizeof(id));
    const std::optional<uint32_t> changed = tag == kUserTag ? change_uid(id) : change_gid(id);
    if (!changed.has_value()) return false;
    std::memcpy(value.data() + entry + kIdOffset, &*changed, sizeof(id));
  }
  return true;
}

}  // namespace

bool IsPosixAclName(std::string_view xattr_name) {
  return xattr_name == "system.posix_acl_access" || xattr_name == "system.posix_acl_default";
}

std::string AclToContainer(std::string value, const IdMap& uids, const IdMap& gids) {
  if (uids.IsIdentity() && gids.IsIdentity()) return value;
  ChangeIds(
      value, [&](uint32_t id) { return std::optional(uids.ToContainer(id)); },
      [&](uint32_t id) { return std::optional(gids.ToContainer(id)); });
  return value;
}

absl::StatusOr<std::string> AclToAgent(std::string value, const IdMap& uids, const IdMap& gids) {
  if (uids.IsIdentity() && gids.IsIdentity()) return value;
  const bool mapped = ChangeIds(
      value, [&](uint32_t id) { return uids.ToAgent(id); }, [&](uint32_t id) { return gids.ToAgent(id); });
  if (!mapped) return ErrnoStatus(EINVAL);
  return value;
}

}  // namespace mirrorfs
