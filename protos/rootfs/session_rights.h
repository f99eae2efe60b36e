// Whose rights a call has: the session's identity, applied to the calling thread.
#ifndef MIRRORFS_PROTOS_ROOTFS_SESSION_RIGHTS_H_
#define MIRRORFS_PROTOS_ROOTFS_SESSION_RIGHTS_H_

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "absl/status/statusor.h"
#include "protos/rootfs/id_map.h"
#include "protos/rootfs/identity.h"
#include "protos/rootfs/thread_credentials.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// Immutable, thread-safe. The maps outlive it.
class SessionRights {
 public:
  SessionRights(Identity identity, const IdMap& uids, const IdMap& gids);

  // Until the result is destroyed the thread has the rights of the identity (or of the caller, in sessions of that
  // kind), and `umask` if given. `files` are the descriptors whose owners matter: capabilities of a container in a
  // user namespace do not reach files whose owner or group is not mapped there, as the kernel has it.
  // EOVERFLOW for a caller whose ids are not mapped.
  absl::StatusOr<ActingAs> Assume(const CallContext& context, std::initializer_list<int> files,
                                  std::optional<uint32_t> umask = std::nullopt) const;

 private:
  absl::StatusOr<Credentials> CredentialsOf(const Caller& caller) const;
  bool Mapped(int file) const;

  Identity identity_;
  const IdMap& uids_;
  const IdMap& gids_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_SESSION_RIGHTS_H_
