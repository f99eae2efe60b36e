// Whose rights the operations of a session have.
#ifndef MIRRORFS_PROTOS_ROOTFS_IDENTITY_H_
#define MIRRORFS_PROTOS_ROOTFS_IDENTITY_H_

#include <cstdint>
#include <vector>

namespace mirrorfs {

enum class IdentityKind : uint8_t {
  kContainer,  // the target process: its ids, groups and effective capabilities
  kCaller,     // each call's own (CallContext::caller); the client's kernel has checked permissions
  kFixed,      // one uid and gid, no capabilities unless uid is 0
};

// Ids are the agent's own (outside the container's user namespace).
struct Credentials {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
  uint64_t capabilities = 0;  // bit n: capability n is effective
};

struct Identity {
  IdentityKind kind = IdentityKind::kContainer;
  Credentials credentials;  // kContainer and kFixed
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_IDENTITY_H_
