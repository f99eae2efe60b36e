#include "fusefs/view/container_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "fusefs/view/layer_copy.h"
#include "protos/rootfs/link_target.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr size_t kChunkBytes = 1 << 20;
constexpr size_t kMostXattrNames = 65536;  // XATTR_LIST_MAX

std::string ProcPath(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

std::pair<std::string_view, std::string> Split(std::string_view path) {
  const size_t slash = path.rfind('/');
  return {path.substr(0, slash), std::string(path.substr(slash + 1))};
}

FileTime ToFileTime(const timespec& time) { return Join({time.tv_sec, static_cast<uint32_t>(time.tv_nsec)}); }

// O_PATH descriptors cannot be read.
UniqueFd OpenForReading(int fd) { return UniqueFd(::open(ProcPath(fd).c_str(), O_RDONLY | O_CLOEXEC)); }

absl::StatusOr<std::string> ReadChunk(int fd, uint64_t offset, size_t size) {
  std::string chunk(size, '\0');
  const ssize_t count = ::pread(fd, chunk.data(), size, static_cast<off_t>(offset));
  if (count < 0) return LastErrno("layer");
  chunk.resize(static_cast<size_t>(count));
  return chunk;
}

using Xattrs = std::vector<std::pair<std::string, std::string>>;

absl::StatusOr<Xattrs> XattrsOf(int fd, std::string_view except) {
  std::string list(kMostXattrNames, '\0');
  const ssize_t length = ::listxattr(ProcPath(fd).c_str(), list.data(), list.size());
  Xattrs attributes;
  if (length < 0 && errno == EOPNOTSUPP) return attributes;
  if (length < 0) return LastErrno("attributes in the layer");
  list.resize(static_cast<size_t>(length));
  const std::vector<std::string> names = absl::StrSplit(list, '\0', absl::SkipEmpty());
  for (const std::string& name : names) {
    if (name == except) continue;
    std::string value(kMaxXattrBytes, '\0');
    const ssize_t size = ::getxattr(ProcPath(fd).c_str(), name.c_str(), value.data(), value.size());
    const absl::Status read = ErrnoStatus(size < 0 ? errno : 0, "attributes in the layer");
    if (MayBeLeftOut(read)) continue;
    RETURN_IF_ERROR(read);
    value.resize(static_cast<size_t>(size));
    attributes.emplace_back(name, std::move(value));
  }
  return attributes;
}

}  // namespace

void ContainerTree::GiveBack(NodeId node) {
  if (node == NodeId::kRoot || node == NodeId::kInvalid) return;
  const ForgottenNode forgotten{node, 1};
  files_.Forget({&forgotten, 1});
}

absl::StatusOr<NodeId> ContainerTree::Directory(std::string_view path) {
  NodeId at = NodeId::kRoot;
  const std::vector<std::string> names =
      absl::StrSplit(absl::string_view(path.data(), path.size()), '/', absl::SkipEmpty());
  for (const std::string& name : names) {
    const absl::StatusOr<Entry> next = files_.Lookup(call_, at, name);
    GiveBack(at);
    RETURN_IF_ERROR(next.status());
    at = next->node;
  }
  return at;
}

absl::StatusOr<std::optional<Entry>> ContainerTree::Find(std::string_view path) {
  const auto [directory, name] = Split(path);
  const absl::StatusOr<NodeId> parent = Directory(directory);
  const auto absent = [](const absl::Status& status) {
    return ToErrno(status) == ENOENT || ToErrno(status) == ENOTDIR;
  };
  if (!parent.ok())
    return absent(parent.status()) ? absl::StatusOr<std::optional<Entry>>(std::nullopt) : parent.status();
  absl::StatusOr<Entry> entry = files_.Lookup(call_, *parent, name);
  GiveBack(*parent);
  if (entry.ok()) {
    GiveBack(entry->node);
    return std::optional<Entry>(*std::move(entry));
  }
  if (absent(entry.status())) return std::nullopt;
  return entry.status();
}

absl::Status ContainerTree::Fetch(std::string_view path, int fd) {
  ASSIGN_OR_RETURN(const NodeId node, Directory(path));
  const absl::Cleanup give_back = [&] { GiveBack(node); };
  const HandleId handle = NextHandle();
  ASSIGN_OR_RETURN(const OpenResult opened, files_.Open(call_, node, handle, {.read = true}, 0));
  const absl::Cleanup release = [&] { files_.Release(std::array{handle}); };
  return CopyData(call_, files_, handle, fd, opened.attributes.size, false, [](uint64_t) {});
}

absl::Status ContainerTree::Remove(std::string_view path) {
  const auto [directory, name] = Split(path);
  const absl::StatusOr<NodeId> parent = Directory(directory);
  if (ToErrno(parent.status()) == ENOENT) return absl::OkStatus();
  RETURN_IF_ERROR(parent.status());
  const absl::Status removed = RemoveIn(*parent, name);
  GiveBack(*parent);
  return removed;
}

absl::Status ContainerTree::RemoveIn(NodeId parent, const std::string& name) {
  const absl::StatusOr<Entry> entry = files_.Lookup(call_, parent, name);
  if (ToErrno(entry.status()) == ENOENT) return absl::OkStatus();
  RETURN_IF_ERROR(entry.status());
  const absl::Cleanup give_back = [&] { GiveBack(entry->node); };
  if (entry->attributes.type != FileType::kDirectory) return files_.Unlink(call_, parent, name).status();
  ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(entry->node));
  for (const std::string& below : names) RETURN_IF_ERROR(RemoveIn(entry->node, below));
  return files_.Rmdir(call_, parent, name).status();
}

absl::Status ContainerTree::Rename(std::string_view from, std::string_view to) {
  const auto [from_directory, name] = Split(from);
  const auto [to_directory, new_name] = Split(to);
  ASSIGN_OR_RETURN(const NodeId parent, Directory(from_directory));
  const absl::StatusOr<NodeId> new_parent = Directory(to_directory);
  absl::Status status = new_parent.status();
  if (status.ok()) status = files_.Rename(call_, parent, name, *new_parent, new_name, RenameMode::kNoReplace).status();
  GiveBack(parent);
  if (new_parent.ok()) GiveBack(*new_parent);
  return status;
}

absl::Status ContainerTree::MakeDirectory(std::string_view path) {
  const auto [directory, name] = Split(path);
  ASSIGN_OR_RETURN(const NodeId parent, Directory(directory));
  const absl::StatusOr<Entry> made = files_.Mkdir(call_, {.parent = parent, .name = name, .permissions = 0700});
  GiveBack(parent);
  if (made.ok()) GiveBack(made->node);
  return made.status();
}

absl::Status ContainerTree::Dress(std::string_view path, const LayerChange& change, int fd, const Layer& layer) {
  ASSIGN_OR_RETURN(const NodeId node, Directory(path));
  absl::Status status;
  const absl::StatusOr<AttributesReply> now = files_.GetAttr(call_, {.node = node});
  status = now.ok() ? DressNode(node, now->attributes, change, fd, layer) : now.status();
  GiveBack(node);
  return status;
}

absl::Status ContainerTree::DressNode(NodeId node, const Attributes& now, const LayerChange& change, int fd,
                                      const Layer& layer) {
  AttributeChange owner;
  if (now.uid != change.uid) owner.uid = change.uid;
  if (now.gid != change.gid) owner.gid = change.gid;
  if (owner.uid || owner.gid) RETURN_IF_ERROR(files_.SetAttr(call_, {.node = node}, owner).status());
  ASSIGN_OR_RETURN(const Xattrs attributes, XattrsOf(fd, layer.record_name()));
  for (const auto& [name, value] : attributes) {
    const absl::Status set = files_.SetXattr(call_, node, name, value, XattrMode::kAny);
    if (!MayBeLeftOut(set)) RETURN_IF_ERROR(set);
  }
  struct stat is = {};
  if (::fstat(fd, &is) != 0) return LastErrno("layer");
  AttributeChange rest;
  if (change.type != FileType::kSymlink) rest.permissions = change.permissions;
  if (change.type != FileType::kDirectory) {
    rest.atime = TimeValue{.ns = ToFileTime(is.st_atim)};
    rest.mtime = TimeValue{.ns = ToFileTime(is.st_mtim)};
  }
  return files_.SetAttr(call_, {.node = node}, rest).status();
}

absl::Status ContainerTree::WriteContent(HandleId handle, int fd, uint64_t size) {
  const UniqueFd from = OpenForReading(fd);
  if (!from) return LastErrno("layer");
  uint64_t offset = 0;
  while (offset < size) {
    const off_t data = ::lseek(from.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // a hole to the end
    if (data < 0) return LastErrno("layer");
    const off_t hole = ::lseek(from.get(), data, SEEK_HOLE);
    if (hole < 0) return LastErrno("layer");
    const uint64_t end = std::min(size, static_cast<uint64_t>(hole));
    for (offset = static_cast<uint64_t>(data); offset < end;) {
      ASSIGN_OR_RETURN(const std::string chunk, ReadChunk(from.get(), offset, std::min(kChunkBytes, end - offset)));
      if (chunk.empty()) return ErrnoStatus(EIO, "layer");  // it has become shorter
      ASSIGN_OR_RETURN(const Written written, files_.Write(call_, handle, offset, absl::Cord(chunk)));
      if (written.bytes == 0) return ErrnoStatus(EIO, "write");
      offset += written.bytes;
    }
    offset = std::max(offset, end);
  }
  return files_.SetAttr(call_, {.node = NodeId::kInvalid, .handle = handle}, {.size = size}).status();
}

absl::Status ContainerTree::MakeNew(NodeId parent, const std::string& name, const LayerChange& change, int fd) {
  const FileSystem::NewNode where{.parent = parent, .name = name, .permissions = 0600};
  if (change.type == FileType::kRegular) {
    const HandleId handle = NextHandle();
    ASSIGN_OR_RETURN(const CreateResult made, files_.Create(call_, where, true, handle, {.write = true}));
    absl::Status status = WriteContent(handle, fd, change.size);
    if (status.ok()) status = files_.Fsync(call_, handle, false);
    files_.Release(std::array{handle});
    GiveBack(made.entry.node);
    return status;
  }
  absl::StatusOr<Entry> made = ErrnoStatus(EINVAL);
  if (change.type == FileType::kSymlink) {
    ASSIGN_OR_RETURN(const std::string target, ReadLinkTarget(fd, "", 0));
    made = files_.Symlink(call_, where, target);
  } else {
    struct stat is = {};
    if (::fstat(fd, &is) != 0) return LastErrno("layer");
    made = files_.Mknod(call_, where, change.type, major(is.st_rdev), minor(is.st_rdev));
  }
  if (made.ok()) GiveBack(made->node);
  return made.status();
}

absl::Status ContainerTree::Put(std::string_view path, const LayerChange& change, int fd, const Layer& layer) {
  const auto [directory, name] = Split(path);
  ASSIGN_OR_RETURN(const NodeId parent, Directory(directory));
  const absl::Cleanup give_back = [&] { GiveBack(parent); };
  const std::string temporary = fmt::format(".mirrorfs-apply-{}-{}", ::getpid(), ++last_name_);
  absl::Status status = MakeNew(parent, temporary, change, fd);
  if (status.ok()) status = Dress(std::string(directory) + "/" + temporary, change, fd, layer);
  if (status.ok()) status = files_.Rename(call_, parent, temporary, parent, name, RenameMode::kReplace).status();
  if (!status.ok()) static_cast<void>(files_.Unlink(call_, parent, temporary));
  return status;
}

absl::StatusOr<bool> ContainerTree::IsSameContent(std::string_view path, int fd, uint64_t size) {
  const UniqueFd from = OpenForReading(fd);
  if (!from) return LastErrno("layer");
  ASSIGN_OR_RETURN(const NodeId node, Directory(path));
  const absl::Cleanup give_back = [&] { GiveBack(node); };
  const HandleId handle = NextHandle();
  RETURN_IF_ERROR(files_.Open(call_, node, handle, {.read = true}, 0).status());
  const absl::Cleanup release = [&] { files_.Release(std::array{handle}); };
  for (uint64_t offset = 0; offset < size; offset += kChunkBytes) {
    ASSIGN_OR_RETURN(const std::string chunk, ReadChunk(from.get(), offset, kChunkBytes));
    if (chunk.size() != std::min<uint64_t>(kChunkBytes, size - offset)) return ErrnoStatus(EIO, "layer");
    ASSIGN_OR_RETURN(const absl::Cord theirs, files_.Read(call_, handle, offset, kChunkBytes));
    if (theirs != absl::string_view(chunk)) return false;
  }
  return true;
}

absl::StatusOr<bool> ContainerTree::IsSame(std::string_view path, const Entry& there, const LayerChange& change,
                                           int fd) {
  const Attributes& is = there.attributes;
  if (is.type != change.type) return false;
  if (is.type == FileType::kSymlink) {
    ASSIGN_OR_RETURN(const std::string target, ReadLinkTarget(fd, "", 0));
    return there.link_target == target;
  }
  if (is.permissions != change.permissions) return false;
  if (is.type != FileType::kRegular) return true;
  if (is.size != change.size) return false;
  return IsSameContent(path, fd, change.size);
}

}  // namespace mirrorfs
