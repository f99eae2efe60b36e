// Calls of the port by path: what a kernel would do, one name at a time.
#ifndef MIRRORFS_TESTS_VIEW_TREE_CLIENT_H_
#define MIRRORFS_TESTS_VIEW_TREE_CLIENT_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// "OK", or the name of the errno.
std::string ErrorName(const absl::Status& status);
template <typename T>
std::string ErrorName(const absl::StatusOr<T>& result) {
  return ErrorName(result.status());
}

// Not thread-safe. Every reference that comes with an answer is given back.
class TreeClient {
 public:
  explicit TreeClient(FileSystem& files) : files_(files) {}

  struct Spot {
    NodeId parent;
    std::string name;
  };

  FileSystem& files() { return files_; }
  const CallContext& call() const { return call_; }
  absl::StatusOr<Entry> Find(std::string_view path);  // "/a/b"
  absl::StatusOr<Spot> FindSpot(std::string_view path);

  std::string Write(std::string_view path, std::string_view content);                       // creates or truncates
  std::string Overwrite(std::string_view path, uint64_t offset, std::string_view content);  // O_WRONLY
  std::string Append(std::string_view path, std::string_view content);
  std::string Create(std::string_view path, uint32_t permissions = 0644);  // O_EXCL
  std::string Read(std::string_view path);                                 // the content, or "!" and the error
  std::string Truncate(std::string_view path, uint64_t size);
  std::string Chmod(std::string_view path, uint32_t permissions);
  std::string Chown(std::string_view path, uint32_t uid, uint32_t gid);
  std::string SetTime(std::string_view path, int64_t seconds);
  std::string SetXattr(std::string_view path, std::string_view name, std::string_view value);
  std::string GetXattr(std::string_view path, std::string_view name);
  std::string RemoveXattr(std::string_view path, std::string_view name);
  std::string Mkdir(std::string_view path, uint32_t permissions = 0755);
  std::string Mkfifo(std::string_view path);
  std::string Symlink(std::string_view path, std::string_view target);
  std::string Link(std::string_view path, std::string_view new_path);
  std::string Unlink(std::string_view path);
  std::string Rmdir(std::string_view path);
  std::string Rename(std::string_view from, std::string_view to, RenameMode mode = RenameMode::kReplace);
  // Names, sorted and joined with a space; "!" and the error.
  std::string List(std::string_view path);
  std::string Stat(std::string_view path);  // type, permissions, owner, size of files, target of links; or the error
  uint64_t Inode(std::string_view path);

  HandleId Open(std::string_view path, const OpenFlags& flags);  // kNone: it failed
  std::string ReadHandle(HandleId handle);
  std::string WriteHandle(HandleId handle, uint64_t offset, std::string_view content);
  void Close(HandleId handle) { files_.Release({handle}); }
  HandleId NextHandle() { return HandleId{++last_handle_}; }

  // Everything below, path by path: what Stat says, contents, user attributes.
  std::map<std::string, std::string> Snapshot(std::string_view path = "/");

 private:
  void GiveBack(NodeId node);
  std::string Finish(const absl::StatusOr<Entry>& made);
  std::string Change(std::string_view path, const AttributeChange& change);
  void AddSnapshot(const std::string& path, std::map<std::string, std::string>& all);

  FileSystem& files_;
  CallContext call_;
  uint64_t last_handle_ = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_VIEW_TREE_CLIENT_H_
