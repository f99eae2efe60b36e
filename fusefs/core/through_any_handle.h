// Asking the agent about a file through one of its open handles, where it has any: so it is reached without a name,
// too.
#ifndef MIRRORFS_FUSEFS_CORE_THROUGH_ANY_HANDLE_H_
#define MIRRORFS_FUSEFS_CORE_THROUGH_ANY_HANDLE_H_

#include <cerrno>

#include "absl/status/statusor.h"
#include "fusefs/core/inode.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// What `call` gives for the inode. A handle may be closed by another thread before the agent hears of it: that is
// EBADF, and nothing was done. Then with another one, or none.
template <typename Call>
absl::StatusOr<AttributesReply> ThroughAnyHandle(const Inode& inode, Call call) {
  while (true) {
    const HandleId handle = inode.AnyHandle();
    absl::StatusOr<AttributesReply> reply = call(NodeOrHandle{inode.node(), handle});
    if (handle == HandleId::kNone || ToErrno(reply.status()) != EBADF || inode.AnyHandle() == handle) return reply;
  }
}

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_THROUGH_ANY_HANDLE_H_
