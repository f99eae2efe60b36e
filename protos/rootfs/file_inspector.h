// Looks at files: attributes and identity together.
#ifndef MIRRORFS_PROTOS_ROOTFS_FILE_INSPECTOR_H_
#define MIRRORFS_PROTOS_ROOTFS_FILE_INSPECTOR_H_

#include <sys/stat.h>

#include <string>

#include "absl/status/statusor.h"
#include "protos/rootfs/file_identity.h"
#include "protos/rootfs/mount_facts.h"

namespace mirrorfs {

struct InspectedFile {
  struct statx stat = {};
  IdentityFacts facts;
  std::string identity;
};

// Thread-safe. Errors are the kernel's.
class FileInspector {
 public:
  // An open file (also O_PATH).
  absl::StatusOr<InspectedFile> Inspect(int fd);
  // A checked component name in a directory; a link is not followed. Two system calls, and no descriptor.
  absl::StatusOr<InspectedFile> InspectName(int directory, const char* name);

  // Overlay: what is older than the root's upper directory, and says that it comes from a lower layer, lies there.
  // (A file that was copied up says so too, but was born later.) Call it before the others.
  void NoteRoot(const struct statx& root);

 private:
  bool NotCopiedUp(const struct statx& stat, std::string_view file_id) const;
  absl::StatusOr<InspectedFile> Compose(const struct statx& stat, const MountFacts& mount, int directory,
                                        const char* name) const;
  absl::StatusOr<MountFacts> FactsOf(int fd, const struct statx& stat);

  MountFactsCache mounts_;
  struct statx root_ = {};
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_FILE_INSPECTOR_H_
