// A running container (or a process, or a plain directory): found through its runtime, held by pidfd and root.
#ifndef MIRRORFS_AGENT_TARGET_TARGET_H_
#define MIRRORFS_AGENT_TARGET_TARGET_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/rootfs/id_map.h"
#include "protos/rootfs/identity.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

struct TargetOptions {
  // docker/NAME, podman/NAME, containerd/NAMESPACE/ID, cri/ID, pid/N, dir:/path; self:DESCRIPTION is the container that
  // the agent runs in, ended:DESCRIPTION one that is no more
  std::string target;
  // Socket of the runtime; empty: the usual places, in the order of docs/guide.md.
  std::string runtime_socket;
  // The process is found by the container's whole id in /proc/*/cgroup; no runtime is asked.
  bool pid_from_cgroup = false;
};

// What a program that is to run like the container's own needs to know of its main process.
struct ProcessFacts {
  std::string working_directory;  // as the process sees it
  std::string mount_table;        // /proc/PID/mountinfo
  std::string environment;        // NAME=VALUE, each with a NUL at its end
};

// Thread-safe after Resolve.
class Target {
 public:
  virtual ~Target() = default;

  // Fails with a message for a person: what, where, why, what to do. NOT_FOUND: no such container;
  // FAILED_PRECONDITION: not running; INVALID_ARGUMENT: not a target, or several match; PERMISSION_DENIED;
  // UNAVAILABLE: the runtime does not answer.
  // Call it before any thread exists: a rootless container's user namespace is joined here.
  static absl::StatusOr<std::unique_ptr<Target>> Resolve(const TargetOptions& options);

  // For people: "docker/web (4f2a91c03d11), pid 4711".
  virtual const std::string& Description() const = 0;
  // A new O_PATH descriptor of the container's root.
  virtual absl::StatusOr<UniqueFd> OpenRoot() const = 0;
  // False from the moment that the process has died. Cheap (no lookup of any path): asked after every mutation.
  virtual bool Alive() const = 0;
  // False where there is nothing to serve from the beginning.
  virtual bool HasRoot() const { return true; }
  // True: operations have the rights that the agent was started with, and no others.
  virtual bool WithOwnRights() const { return false; }
  // Those of the target process, as the agent's user namespace sees them. For dir: and self: the agent's own.
  virtual const Credentials& ProcessCredentials() const = 0;
  virtual const IdMap& Uids() const = 0;
  virtual const IdMap& Gids() const = 0;
  // Nothing in them where there is no process. Needs the rights that Resolve needs: ask before they are given up.
  virtual absl::StatusOr<ProcessFacts> ReadProcessFacts() const { return ProcessFacts{}; }
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_TARGET_H_
