// Credentials are a property of each thread in Linux: setfsuid, setfsgid, the raw setgroups and capset change the
// calling thread only. This is where that is done, and undone.
#ifndef MIRRORFS_PROTOS_ROOTFS_THREAD_CREDENTIALS_H_
#define MIRRORFS_PROTOS_ROOTFS_THREAD_CREDENTIALS_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "protos/rootfs/identity.h"

namespace mirrorfs {

// While it lives, the thread acts on files as somebody else; then as the agent again. It lives and dies in one thread
// and is not nested. Only what differs from the agent's own credentials costs system calls.
//
// What a thread had when it first used this class is what it goes back to: nobody else may change the thread's
// fsuid, fsgid, groups and effective capabilities. CAP_SETUID and CAP_SETGID stay effective (they mean nothing to
// files). The umask is the thread's own from the first use of one (unshare(CLONE_FS)).
class ActingAs {
 public:
  // `credentials.capabilities` is cut to what the agent is permitted. EPERM if the agent may not become that.
  // An agent without CAP_SETGID keeps its own supplementary groups.
  static absl::StatusOr<ActingAs> Become(const Credentials& credentials, std::optional<uint32_t> umask);

  ActingAs(ActingAs&& other) noexcept
      : active_(std::exchange(other.active_, false)), former_umask_(std::exchange(other.former_umask_, std::nullopt)) {}
  ActingAs& operator=(ActingAs&&) = delete;
  ~ActingAs();

 private:
  ActingAs() = default;
  bool active_ = true;
  std::optional<uint32_t> former_umask_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_THREAD_CREDENTIALS_H_
