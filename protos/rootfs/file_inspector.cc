#include "protos/rootfs/file_inspector.h"

#include <fcntl.h>

#include <cerrno>

#include "protos/rootfs/file_id.h"
#include "protos/rootfs/kernel_calls.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

absl::StatusOr<InspectedFile> Compose(const struct statx& stat, const MountFacts& mount, int directory,
                                      const char* name) {
  std::optional<std::string> file_id = ReadFileId(directory, name, mount.file_ids);
  if (!file_id.has_value()) {
    // Some files of a file system that has ids have none; their birth times must do.
    if (errno != EOPNOTSUPP && errno != EOVERFLOW) return LastErrno("name_to_handle_at");
    file_id.emplace();
  }
  InspectedFile file;
  file.stat = stat;
  file.facts = {TypeOfMode(stat.stx_mode), mount.refused, mount.overlay, !file_id->empty(), DeviceNumber(stat)};
  file.identity = EncodeIdentity(stat, file.facts, *file_id);
  return file;
}

}  // namespace

absl::StatusOr<MountFacts> FileInspector::FactsOf(int fd, const struct statx& stat) {
  const uint64_t mount = MountNumber(stat);
  if (auto known = mounts_.Find(mount)) return *known;
  const std::optional<MountFacts> facts = ProbeMount(fd);
  if (!facts.has_value()) return LastErrno("fstatfs");
  mounts_.Remember(mount, *facts);
  return *facts;
}

absl::StatusOr<InspectedFile> FileInspector::Inspect(int fd) {
  struct statx stat;
  if (StatFd(fd, &stat) != 0) return LastErrno("statx");
  ASSIGN_OR_RETURN(const MountFacts facts, FactsOf(fd, stat));
  return Compose(stat, facts, fd, "");
}

absl::StatusOr<InspectedFile> FileInspector::InspectName(int directory, const char* name) {
  struct statx stat;
  if (StatName(directory, name, &stat) != 0) return LastErrno("statx");
  if (auto known = mounts_.Find(MountNumber(stat))) return Compose(stat, *known, directory, name);
  // Something is mounted here that has not been met yet.
  UniqueFd fd(OpenBeneath(directory, name, O_PATH));
  if (!fd) return LastErrno("openat2");
  return Inspect(fd.get());
}

}  // namespace mirrorfs
