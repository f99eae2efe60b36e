// Making a file of the layer what a file of another side is: content, owner, permissions, extended attributes, times.
// No part of the view's state.
#ifndef MIRRORFS_FUSEFS_VIEW_LAYER_COPY_H_
#define MIRRORFS_FUSEFS_VIEW_LAYER_COPY_H_

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "protos/layer/layer.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// Permissions of a file of the layer on disk: its own, or such that the daemon can always use it.
uint32_t PermissionsOnDisk(FileType type, uint32_t permissions, const Layer& layer);

// `fd` may be O_PATH in all of these. What the file cannot express goes to `record`.
absl::Status CopyOwner(int fd, const Attributes& attributes, const Layer& layer, LayerRecord& record);
// From one directory of the layer to another: owner, permissions, access lists, also those that are inherited.
absl::Status CopyRights(int from, int to, const Layer& layer);
absl::Status CopyPermissions(int fd, const Attributes& attributes, const Layer& layer);
absl::Status CopyTimes(int fd, const Attributes& attributes);
// Whether this is a reason to do without one extended attribute: it may be seen and not read, not be set, is not kept
// by the file system, or has gone meanwhile. What says nothing of the attribute (no answer, a full disk) is none.
bool MayBeLeftOut(const absl::Status& status);
// Attributes that may be left out are; `except` too.
absl::Status CopyXattrs(const CallContext& context, FileSystem& from, NodeId node, int fd, std::string_view except);

// FIFOs, sockets, devices.
absl::Status MakeSpecialFile(int directory, const std::string& name, const Attributes& attributes);

// The first `size` bytes of an open file, holes left out if `sparse`. `told` hears how far it is, once a second, and
// of the end if it heard of anything before.
absl::Status CopyData(const CallContext& context, FileSystem& from, HandleId handle, int to, uint64_t size, bool sparse,
                      const std::function<void(uint64_t done)>& told);

// While it lives a directory may be changed without that showing in its times.
class KeptTimes {
 public:
  explicit KeptTimes(int directory) : directory_(directory), known_(::fstat(directory, &stat_) == 0) {}
  KeptTimes(const KeptTimes&) = delete;
  KeptTimes& operator=(const KeptTimes&) = delete;
  ~KeptTimes();

 private:
  const int directory_;
  struct stat stat_ = {};
  const bool known_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_LAYER_COPY_H_
