#include "protos/rootfs/file_inspector.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "protos/rootfs/file_id.h"
#include "protos/rootfs/kernel_calls.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

void FileInspector::NoteRoot(const struct statx& root) { root_ = root; }

bool FileInspector::NotCopiedUp(const struct statx& stat, std::string_view file_id) const {
  const bool comparable =
      (stat.stx_mask & root_.stx_mask & STATX_BTIME) != 0 && DeviceNumber(stat) == DeviceNumber(root_);
  return comparable &&
         std::pair(stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec) <
             std::pair(root_.stx_btime.tv_sec, root_.stx_btime.tv_nsec) &&
         ComesFromLowerLayer(file_id);
}

absl::StatusOr<InspectedFile> FileInspector::Compose(const struct statx& stat, const MountFacts& mount, int directory,
                                                     const char* name) const {
  std::optional<std::string> file_id = ReadFileId(directory, name, mount.file_ids);
  if (!file_id.has_value()) {
    // Some files of a file system that has ids have none; their birth times must do.
    if (errno != EOPNOTSUPP && errno != EOVERFLOW) return LastErrno("name_to_handle_at");
    file_id.emplace();
  }
  InspectedFile file;
  file.stat = stat;
  file.facts.type = TypeOfMode(stat.stx_mode);
  file.facts.refused = mount.refused;
  file.facts.overlay = mount.overlay;
  file.facts.lasting = !file_id->empty();
  file.facts.per_name =
      mount.overlay && file.facts.type != FileType::kDirectory && stat.stx_nlink > 1 && NotCopiedUp(stat, *file_id);
  file.facts.device = DeviceNumber(stat);
  file.identity = EncodeIdentity(stat, file.facts, *file_id);
  return file;
}

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
