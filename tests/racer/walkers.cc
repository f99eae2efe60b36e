#include "tests/racer/walkers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kReadBytes = 4096;

// Nodes that were looked up on the way, given back at the end of it.
class Walk {
 public:
  explicit Walk(FileSystem& files) : files_(files) {}
  ~Walk() { files_.Forget(found_); }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  absl::StatusOr<NodeId> To(const std::vector<std::string>& names, size_t count) {
    NodeId node = NodeId::kRoot;
    for (size_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(const Entry entry, files_.Lookup(CallContext(), node, names[i]));
      found_.push_back({.node = entry.node, .count = 1});
      if (entry.attributes.type == FileType::kSymlink) return ErrnoStatus(ELOOP);
      node = entry.node;
    }
    return node;
  }

 private:
  FileSystem& files_;
  std::vector<ForgottenNode> found_;
};

}  // namespace

absl::StatusOr<std::string> ReadThroughPort(FileSystem& files, const std::vector<std::string>& names, HandleId handle) {
  Walk walk(files);
  ASSIGN_OR_RETURN(const NodeId node, walk.To(names, names.size()));
  ASSIGN_OR_RETURN(OpenResult opened, files.Open(CallContext(), node, handle, {.read = true}, kReadBytes));
  std::string content;
  if (opened.inline_data) {
    content = *std::move(opened.inline_data);
  } else if (auto data = files.Read(CallContext(), handle, 0, kReadBytes); data.ok()) {
    content = std::string(*data);
  }
  files.Release({handle});
  return content;
}

void HarmThroughPort(FileSystem& files, const std::vector<std::string>& names, HandleId handle) {
  Walk walk(files);
  auto parent = walk.To(names, names.size() - 1);
  if (!parent.ok()) return;
  const std::string name = "made-" + std::to_string(ToNumber(handle));
  const FileSystem::NewNode where = {.parent = *parent, .name = name, .permissions = 0644};
  auto made = files.Create(CallContext(), where, /*exclusive=*/false, handle, {.read = true, .write = true});
  if (made.ok()) {
    files.Write(CallContext(), handle, 0, absl::Cord("harm")).IgnoreError();
    files.Release({handle});
    const ForgottenNode forgotten = {.node = made->entry.node, .count = 1};
    files.Forget({&forgotten, 1});
    files.Unlink(CallContext(), *parent, name).IgnoreError();
  }
  files.Unlink(CallContext(), *parent, "victim").IgnoreError();
}

absl::StatusOr<std::string> ReadNaively(const std::string& root, const std::vector<std::string>& names) {
  std::string path = root;
  for (const std::string& name : names) {
    path += "/" + name;
    struct stat status = {};
    if (lstat(path.c_str(), &status) != 0) return LastErrno(path);
    if (S_ISLNK(status.st_mode)) return ErrnoStatus(ELOOP, path);
  }
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return LastErrno(path);
  std::string content(kReadBytes, '\0');
  const ssize_t size = read(fd.get(), content.data(), content.size());
  if (size < 0) return LastErrno(path);
  content.resize(size);
  return content;
}

}  // namespace mirrorfs
