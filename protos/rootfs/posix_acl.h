// The ids inside of POSIX ACLs, as system.posix_acl_access and system.posix_acl_default carry them.
#ifndef MIRRORFS_PROTOS_ROOTFS_POSIX_ACL_H_
#define MIRRORFS_PROTOS_ROOTFS_POSIX_ACL_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "protos/rootfs/id_map.h"

namespace mirrorfs {

bool IsPosixAclName(std::string_view xattr_name);

// Ids that are not mapped are shown as kOverflowId. A value that is no ACL is left as it is.
std::string AclToContainer(std::string value, const IdMap& uids, const IdMap& gids);
// EINVAL for an id that is not mapped. A value that is no ACL is left for the kernel to refuse.
absl::StatusOr<std::string> AclToAgent(std::string value, const IdMap& uids, const IdMap& gids);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_POSIX_ACL_H_
