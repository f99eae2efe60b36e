// What is written down about a mount, so that it can be listed, and cleaned up by somebody else when its keeper is
// gone.
#ifndef MIRRORFS_LAUNCHER_STATE_MOUNT_RECORD_H_
#define MIRRORFS_LAUNCHER_STATE_MOUNT_RECORD_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/system/mount_cover.h"
#include "launcher/system/process_identity.h"

namespace mirrorfs {

struct MountRecord {
  std::string target;
  std::string mountpoint;  // or "exec/PID", for a run of a program
  std::string program;     // of such a run; empty for a mount
  std::string identity;
  std::string mount_namespace;
  std::string options;
  bool read_write = false;
  std::string layer;  // directory of the private layer; empty: none
  double deadline_seconds = 0;
  int64_t since = 0;  // seconds since the epoch
  ProcessIdentity keeper;
  ProcessIdentity agent;
  bool agent_in_container = false;  // then `agent` is a tunnel, which ends with the keeper
  std::string container;            // of a target in a cluster: "pod/web-7c9, container app"
  std::string agent_pod;            // "NAMESPACE/POD/CONTAINER" if it is in one
  ProcessIdentity daemon;
  ProcessIdentity launcher;       // of a run: becomes the program; none until that starts
  std::string program_namespace;  // likewise: the mount namespace of its processes
  MountCover cover;

  bool IsRun() const { return !program.empty(); }

  bool operator==(const MountRecord&) const = default;
};

// At the start of it, by its keeper: this process. `name`: mount point, or "exec/PID".
MountRecord RecordOf(const MountPlan& plan, const std::string& name, const std::string& program);

// Replaces the file as a whole.
absl::Status WriteRecord(const std::string& path, const MountRecord& record);
absl::StatusOr<MountRecord> ReadRecord(const std::string& path);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_STATE_MOUNT_RECORD_H_
