// Names, attributes, directories.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "protos/shared/errno_status.h"
#include "tests/native/act_as.h"
#include "tests/native/native_filesystem.h"
#include "tests/native/system_calls.h"

namespace mirrorfs {
namespace {

timespec ToTimespec(const std::optional<TimeValue>& time) {
  if (!time) return {.tv_sec = 0, .tv_nsec = UTIME_OMIT};
  if (time->now) return {.tv_sec = 0, .tv_nsec = UTIME_NOW};
  const SplitTime split = Split(time->ns);
  return {.tv_sec = split.seconds, .tv_nsec = split.nanoseconds};
}

constexpr uint32_t kListingShift = 32;

}  // namespace

NativeFileSystem::NativeFileSystem(NativeFileSystemOptions options)
    : fixed_(options.fixed),
      use_caller_(options.use_caller),
      devices_(options.devices),
      nodes_(std::move(options.root)) {}

std::optional<Caller> NativeFileSystem::Who(const CallContext& context) const {
  return use_caller_ ? std::optional<Caller>(context.caller) : fixed_;
}

absl::StatusOr<Entry> NativeFileSystem::Root() const {
  ASSIGN_OR_RETURN(auto node, nodes_.Find(NodeId::kRoot));
  Entry entry;
  entry.node = NodeId::kRoot;
  ASSIGN_OR_RETURN(entry.attributes, AttributesOf(node->fd.get()));
  return entry;
}

absl::StatusOr<Entry> NativeFileSystem::EntryOf(int parent_fd, const std::string& name, NodeId proposed) {
  UniqueFd fd(openat(parent_fd, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return LastErrno("open");
  Entry entry;
  ASSIGN_OR_RETURN(entry.attributes, AttributesOf(fd.get()));
  ASSIGN_OR_RETURN(entry.link_target, LinkTargetOf(fd.get(), entry.attributes));
  ASSIGN_OR_RETURN(auto node, nodes_.Add(std::move(fd), proposed));
  entry.node = node->id;
  return entry;
}

absl::StatusOr<Entry> NativeFileSystem::Lookup(const CallContext& context, NodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckName(name));
  ASSIGN_OR_RETURN(auto directory, nodes_.Find(parent));
  ActAs who(Who(context));
  return EntryOf(directory->fd.get(), std::string(name), NodeId::kInvalid);
}

absl::StatusOr<AttributesReply> NativeFileSystem::GetAttr(const CallContext& context, NodeOrHandle file) {
  ActAs who(Who(context));
  AttributesReply reply;
  if (file.handle != HandleId::kNone) {
    ASSIGN_OR_RETURN(auto handle, handles_.Find(file.handle));
    ASSIGN_OR_RETURN(reply.attributes, AttributesOf(handle->fd.get()));
    return reply;
  }
  ASSIGN_OR_RETURN(auto node, nodes_.Find(file.node));
  ASSIGN_OR_RETURN(reply.attributes, AttributesOf(node->fd.get()));
  return reply;
}

absl::StatusOr<AttributesReply> NativeFileSystem::SetAttr(const CallContext& context, NodeOrHandle file,
                                                          const AttributeChange& change) {
  ActAs who(Who(context));
  std::shared_ptr<const NativeHandle> handle;
  std::shared_ptr<const NativeNode> node;
  if (file.handle != HandleId::kNone) {
    ASSIGN_OR_RETURN(handle, handles_.Find(file.handle));
  } else {
    ASSIGN_OR_RETURN(node, nodes_.Find(file.node));
  }
  const int fd = handle ? handle->fd.get() : node->fd.get();
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  if (change.size) {
    RETURN_IF_ERROR(ToStatus(handle ? ftruncate(fd, *change.size) : truncate(path.c_str(), *change.size), "truncate"));
  }
  const bool nothing = !change.size && !change.permissions && !change.atime && !change.mtime;
  if (change.uid || change.gid || nothing) {
    const int result = fchownat(fd, "", change.uid.value_or(-1), change.gid.value_or(-1), AT_EMPTY_PATH);
    RETURN_IF_ERROR(ToStatus(result, "chown"));
  }
  if (change.permissions) RETURN_IF_ERROR(ToStatus(chmod(path.c_str(), *change.permissions), "chmod"));
  if (change.atime || change.mtime) {
    const timespec times[2] = {ToTimespec(change.atime), ToTimespec(change.mtime)};
    RETURN_IF_ERROR(ToStatus(utimensat(AT_FDCWD, path.c_str(), times, 0), "utimens"));
  }
  AttributesReply reply;
  ASSIGN_OR_RETURN(reply.attributes, AttributesOf(fd));
  return reply;
}

absl::StatusOr<std::string> NativeFileSystem::Readlink(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(auto link, nodes_.Find(node));
  ActAs who(Who(context));
  return LinkTargetOf(link->fd.get());
}

absl::Status NativeFileSystem::Access(const CallContext& context, NodeId node, AccessMask mask) {
  ASSIGN_OR_RETURN(auto file, nodes_.Find(node));
  ActAs who(Who(context));
  const int mode = (mask.read ? R_OK : 0) | (mask.write ? W_OK : 0) | (mask.execute ? X_OK : 0);
  return ToStatus(faccessat(AT_FDCWD, file->Path().c_str(), mode, AT_EACCESS), "access");
}

// A cursor is the number of a listing, read whole when it was begun, and the place in it.
absl::StatusOr<std::shared_ptr<const NativeFileSystem::Names>> NativeFileSystem::ListingOf(const NativeNode& directory,
                                                                                           DirCursor& cursor) {
  if (cursor != DirCursor::kStart) {
    MutexLock lock(mutex_);
    auto found = listings_.find(ToNumber(cursor) >> kListingShift);
    if (found == listings_.end()) return ErrnoStatus(EINVAL, "cursor");
    return found->second;
  }
  // Not openat ".": that would ask for the permission to search, too.
  const int fd = open(directory.Path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return LastErrno("opendir");
  DIR* stream = fdopendir(fd);
  const absl::Cleanup close = [stream] { closedir(stream); };
  auto names = std::make_shared<Names>();
  errno = 0;
  while (const dirent* entry = readdir(stream)) {
    if (std::string_view name = entry->d_name; name == "." || name == "..") continue;
    names->push_back({entry->d_name, TypeOfMode(DTTOIF(entry->d_type)), entry->d_ino, std::nullopt});
  }
  if (errno != 0) return LastErrno("readdir");
  MutexLock lock(mutex_);
  cursor = DirCursor{next_listing_++ << kListingShift};
  listings_[ToNumber(cursor) >> kListingShift] = names;
  return names;
}

absl::StatusOr<DirectoryPage> NativeFileSystem::ReadDir(const CallContext& context, NodeId node, DirCursor cursor,
                                                        uint32_t max_bytes, bool with_attributes) {
  ASSIGN_OR_RETURN(auto directory, nodes_.Find(node));
  ActAs who(Who(context));
  ASSIGN_OR_RETURN(auto names, ListingOf(*directory, cursor));
  DirectoryPage page;
  const size_t start = ToNumber(cursor) & 0xffffffff;
  size_t at = start;
  for (size_t bytes = 0; at < names->size() && (at == start || bytes < max_bytes); ++at) {
    DirectoryEntry entry = (*names)[at];
    bytes += entry.name.size() + sizeof(Entry);
    if (with_attributes) {
      auto full = EntryOf(directory->fd.get(), entry.name, NodeId::kInvalid);
      if (full.ok()) entry.entry = *std::move(full);
    }
    page.entries.push_back(std::move(entry));
  }
  if (at < names->size()) page.next = DirCursor{(ToNumber(cursor) & ~uint64_t{0xffffffff}) | at};
  return page;
}

void NativeFileSystem::CloseDir(NodeId node, DirCursor cursor) {
  MutexLock lock(mutex_);
  listings_.erase(ToNumber(cursor) >> kListingShift);
}

absl::StatusOr<FileSystemStatistics> NativeFileSystem::StatFs(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(auto file, nodes_.Find(node));
  struct statvfs status = {};
  if (fstatvfs(file->fd.get(), &status) != 0) return LastErrno("statvfs");
  return FileSystemStatistics{.block_size = status.f_bsize,
                              .fragment_size = status.f_frsize,
                              .blocks = status.f_blocks,
                              .blocks_free = status.f_bfree,
                              .blocks_available = status.f_bavail,
                              .files = status.f_files,
                              .files_free = status.f_ffree,
                              .name_max = static_cast<uint32_t>(status.f_namemax)};
}

void NativeFileSystem::Forget(absl::Span<const ForgottenNode> nodes) {
  for (const ForgottenNode& node : nodes) nodes_.Forget(node.node, node.count);
}

}  // namespace mirrorfs
