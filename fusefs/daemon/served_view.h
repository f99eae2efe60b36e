// What the daemon serves: the container's files as they are, or a view with this machine's files and a private layer.
#ifndef MIRRORFS_FUSEFS_DAEMON_SERVED_VIEW_H_
#define MIRRORFS_FUSEFS_DAEMON_SERVED_VIEW_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "fusefs/daemon/options.h"
#include "fusefs/remote/remote_session.h"
#include "fusefs/view/view_file_system.h"
#include "protos/rootfs/rooted_filesystem.h"

namespace mirrorfs {

// Thread-safe once made.
class ServedView {
 public:
  // `remote` outlives it. Messages are for a person.
  static absl::StatusOr<std::unique_ptr<ServedView>> Make(const DaemonOptions& options, RemoteSession& remote,
                                                          std::function<void(const CopyProgress&)> progress);

  FileSystem& files() { return *files_; }
  const Entry& root() const { return root_; }

 private:
  absl::Status OpenLayer(const DaemonOptions& options, const SessionFacts& facts);
  absl::Status OpenLocal(const DaemonOptions& options);

  std::unique_ptr<Layer> layer_;
  std::unique_ptr<RootedFilesystem> layer_files_;
  std::unique_ptr<RootedFilesystem> local_;
  std::unique_ptr<ViewFileSystem> view_;  // null: not needed
  FileSystem* files_ = nullptr;
  Entry root_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_SERVED_VIEW_H_
