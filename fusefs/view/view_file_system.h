// A view: the port FileSystem, composed of the container's files, this machine's files and a private layer, path by
// path as a policy decides (docs/semantics.md, Views).
//
// Node ids are the view's own. A node is a file and a decision: a hard link that is seen under two outcomes is two
// nodes, and what would change the outcome of anything (rename, link) is EXDEV.
#ifndef MIRRORFS_FUSEFS_VIEW_VIEW_FILE_SYSTEM_H_
#define MIRRORFS_FUSEFS_VIEW_VIEW_FILE_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "protos/layer/layer.h"
#include "protos/policy/path_policy.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// A file is being copied into the layer: told once a second while that lasts, and when it is over.
struct CopyProgress {
  std::string path;  // in the view
  uint64_t done = 0;
  uint64_t size = 0;
  bool over = false;  // all of it is there, or it has failed
};

struct ViewOptions {
  PathPolicy policy;
  // The sides; they outlive the view. The roots of both are node kRoot. Null: nothing is ever found there.
  FileSystem* container = nullptr;
  FileSystem* local = nullptr;
  // The private layer, opened for changes, and its directory as a file system (with the layer's tree and work below the
  // root). Null: what would go to the layer is EROFS.
  const Layer* layer = nullptr;
  FileSystem* layer_files = nullptr;
  // Whose rights calls have, where the kernel does not check them: then the layer's files are checked here.
  std::optional<Caller> acting_as;
  std::function<void(const CopyProgress&)> progress = [](const CopyProgress&) {};
};

// Thread-safe, as the port says. No lock is held across a call of a side.
class ViewFileSystem : public FileSystem {
 public:
  static absl::StatusOr<std::unique_ptr<ViewFileSystem>> Create(ViewOptions options);
  using FileSystem::Create;

  // The root's entry; not counted as a reference.
  virtual absl::StatusOr<Entry> Root(const CallContext& context) = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_VIEW_FILE_SYSTEM_H_
