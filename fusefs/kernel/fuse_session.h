// One FUSE mount: takes requests from the kernel, hands them to the core, answers each exactly once.
// libfuse is used in this folder only.
#ifndef MIRRORFS_FUSEFS_KERNEL_FUSE_SESSION_H_
#define MIRRORFS_FUSEFS_KERNEL_FUSE_SESSION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

enum class SymlinkMode : uint8_t {
  kRebase,  // absolute link targets are shown so that they stay inside the mount
  kRaw,     // as they are
};

struct MountOptions {
  // A directory; or "/dev/fd/N", an open /dev/fuse that somebody else has mounted already, in a place that this process
  // may not even see. Other file systems may be mounted on names of such a mount.
  std::string mountpoint;
  std::string source;  // what /proc/mounts shows as the device, e.g. docker/web
  bool read_only = true;
  bool allow_other = false;
  bool default_permissions = false;
  bool suid = false;
  bool dev = false;
  bool noexec = false;
  bool exact_acls = false;  // CoreOptions
  SymlinkMode symlinks = SymlinkMode::kRebase;
  absl::Duration attr_timeout = absl::Seconds(1);
  absl::Duration entry_timeout = absl::Seconds(1);
  // idmap=user: the container identity's uid and gid are shown as these, and these are sent as those.
  bool map_ids = false;
  // idmap=own: every owner and group is shown as these. For a mount in a user namespace that has no other ids: the
  // kernel would refuse writes to a file of anybody else's before asking.
  bool show_own_ids = false;
  uint32_t container_uid = 0;
  uint32_t container_gid = 0;
  uint32_t shown_uid = 0;
  uint32_t shown_gid = 0;
  // Whether calls carry the calling process's ids (sessions of identity `caller`).
  bool send_caller = false;
  // From SessionFacts.
  uint32_t max_read = 1 << 20;
  uint32_t max_write = 1 << 20;
  uint32_t max_page = 1 << 20;
  bool debug = false;  // log each request

  bool IsMountedAlready() const { return mountpoint.starts_with("/dev/fd/"); }
};

// Thread-safe.
class FuseSession {
 public:
  virtual ~FuseSession() = default;  // does not unmount

  // Mounts on options.mountpoint. `files` outlives the session. Messages are for a person.
  static absl::StatusOr<std::unique_ptr<FuseSession>> Mount(FileSystem& files, const Entry& root,
                                                            const MountOptions& options);
  // Serves until the file system is unmounted (OK), or RequestStop.
  virtual absl::Status Run() = 0;
  virtual void RequestStop() = 0;  // async-signal-safe
  // Requests from the kernel, by FUSE operation name.
  virtual std::map<std::string, uint64_t> RequestCounts() const = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_FUSE_SESSION_H_
