// A view over two real directories and a real layer.
#ifndef MIRRORFS_TESTS_VIEW_VIEW_BOX_H_
#define MIRRORFS_TESTS_VIEW_VIEW_BOX_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fusefs/view/view_file_system.h"
#include "protos/rootfs/rooted_filesystem.h"
#include "tests/view/tree_client.h"
#include "tests/view/watched_files.h"

namespace mirrorfs {

struct ViewBoxOptions {
  FsMode mode = FsMode::kRead;
  std::vector<PolicyRule> rules;
  std::vector<PathMapping> mappings;
  bool with_layer = true;
  bool container_read_write = true;                 // the policy alone must keep it as it is
  WatchedFiles::Before before_container = nullptr;  // hears each call of the container
  WatchedFiles::Before before_local = nullptr;      // of this machine's files
  WatchedFiles::Before before_layer = nullptr;      // of the layer's files
  std::optional<Caller> acting_as = std::nullopt;   // null: this process
};

// Not thread-safe.
class ViewBox {
 public:
  ViewBox();
  ~ViewBox();

  std::string Container(std::string_view path = "") const { return directory_ + "/container" + std::string(path); }
  std::string Local(std::string_view path = "") const { return directory_ + "/local" + std::string(path); }
  std::string LayerDirectory(std::string_view path = "") const { return directory_ + "/layer" + std::string(path); }

  // A directory with this process's rights.
  static std::unique_ptr<RootedFilesystem> MakeFiles(const std::string& directory, bool read_write);

  // Makes the view, anew if there is one: what is open ends, the layer stays.
  void Make(const ViewBoxOptions& options);
  void End();
  FileSystem& files() { return *view_; }
  TreeClient& client() { return *client_; }

 private:
  std::string directory_;
  std::unique_ptr<Layer> layer_;
  std::unique_ptr<RootedFilesystem> container_;
  std::unique_ptr<RootedFilesystem> local_;
  std::unique_ptr<RootedFilesystem> layer_files_;
  std::unique_ptr<WatchedFiles> watched_container_;
  std::unique_ptr<WatchedFiles> watched_local_;
  std::unique_ptr<WatchedFiles> watched_layer_;
  std::unique_ptr<ViewFileSystem> view_;
  std::unique_ptr<TreeClient> client_;
};

// --- Natively
void WriteNative(const std::string& path, std::string_view content);
std::string ReadNative(const std::string& path);
void MakeDirectories(const std::string& path);
// Everything below a directory: names, types, modes, owners, times, contents, attributes. Equal texts: equal trees.
std::string TreeText(const std::string& directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_VIEW_VIEW_BOX_H_
