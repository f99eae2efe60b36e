#include "fusefs/view/layer_copy.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>
#include <future>
#include <utility>

#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kChunkBytes = 1 << 20;
constexpr size_t kChunksInFlight = 4;
constexpr std::chrono::seconds kTellEvery{1};

std::string ProcPath(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

timespec ToTimespec(FileTime time) {
  const SplitTime split = Split(time);
  return {split.seconds, split.nanoseconds};
}

// Is told how far a copy is, and passes it on now and then.
class Progress {
 public:
  explicit Progress(const std::function<void(uint64_t)>& told) : told_(told) {}

  void At(uint64_t done) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < kTellEvery) return;
    last_ = now;
    has_told_ = true;
    told_(done);
  }
  void End(uint64_t size) {
    if (has_told_) told_(size);
  }

 private:
  const std::function<void(uint64_t)>& told_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  bool has_told_ = false;
};

absl::Status WriteAll(int fd, const absl::Cord& data, uint64_t offset) {
  for (absl::string_view part : data.Chunks()) {
    while (!part.empty()) {
      const ssize_t count = ::pwrite(fd, part.data(), part.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return LastErrno("copy to the layer");
      offset += static_cast<uint64_t>(count);
      part.remove_prefix(static_cast<size_t>(count));
    }
  }
  return absl::OkStatus();
}

// Copies [begin, end) with several chunks on their way.
absl::Status CopyRange(const CallContext& context, FileSystem& from, HandleId handle, int to, uint64_t begin,
                       uint64_t end, Progress& progress) {
  struct Chunk {
    uint64_t offset;
    uint32_t size;
    std::future<absl::StatusOr<absl::Cord>> data;
  };
  std::deque<Chunk> chunks;
  uint64_t asked = begin;
  while (asked < end || !chunks.empty()) {
    while (asked < end && chunks.size() < kChunksInFlight) {
      const auto size = static_cast<uint32_t>(std::min<uint64_t>(kChunkBytes, end - asked));
      const bool alone = end - begin <= kChunkBytes;
      const auto read = [&from, &context, handle, offset = asked, size] {
        return from.Read(context, handle, offset, size);
      };
      chunks.push_back({asked, size, std::async(alone ? std::launch::deferred : std::launch::async, read)});
      asked += size;
    }
    const uint64_t offset = chunks.front().offset;
    const uint32_t size = chunks.front().size;
    const absl::StatusOr<absl::Cord> data = chunks.front().data.get();
    chunks.pop_front();
    RETURN_IF_ERROR(data.status());
    if (data->size() != size) return ErrnoStatus(EIO, "it has become shorter while it was copied");
    if (context.stop.stop_requested()) return ErrnoStatus(EINTR, "copy to the layer");
    RETURN_IF_ERROR(WriteAll(to, *data, offset));
    progress.At(offset + data->size());
  }
  return absl::OkStatus();
}

}  // namespace

uint32_t PermissionsOnDisk(FileType type, uint32_t permissions, const Layer& layer) {
  // What is never opened here, and can have no record, has its own.
  const bool opened = type == FileType::kRegular || type == FileType::kDirectory;
  if (layer.info().native_ids || !opened) return permissions;
  return (permissions & 0777) | (type == FileType::kDirectory ? 0700 : 0600);
}

absl::Status CopyOwner(int fd, const Attributes& attributes, const Layer& layer, LayerRecord& record) {
  if (layer.info().native_ids) {
    const int result = ::fchownat(fd, "", attributes.uid, attributes.gid, AT_EMPTY_PATH);
    return ErrnoStatus(result == 0 ? 0 : errno, "owner in the layer");
  }
  const LayerInfo& info = layer.info();
  const bool same = attributes.uid == info.shown_uid && attributes.gid == info.shown_gid &&
                    PermissionsOnDisk(attributes.type, attributes.permissions, layer) == attributes.permissions;
  if (!same) record.owner = LayerOwner{attributes.uid, attributes.gid, attributes.permissions};
  return absl::OkStatus();
}

absl::Status CopyPermissions(int fd, const Attributes& attributes, const Layer& layer) {
  if (attributes.type == FileType::kSymlink) return absl::OkStatus();
  const uint32_t permissions = PermissionsOnDisk(attributes.type, attributes.permissions, layer);
  return ErrnoStatus(::chmod(ProcPath(fd).c_str(), permissions) == 0 ? 0 : errno, "permissions in the layer");
}

absl::Status CopyRights(int from, int to, const Layer& layer) {
  struct stat is = {};
  if (::fstat(from, &is) != 0) return LastErrno("layer");
  if (layer.info().native_ids && ::fchownat(to, "", is.st_uid, is.st_gid, AT_EMPTY_PATH) != 0) {
    return LastErrno("owner in the layer");
  }
  for (const char* name : {"system.posix_acl_access", "system.posix_acl_default"}) {
    std::string value(kMaxXattrBytes, '\0');
    const ssize_t size = ::getxattr(ProcPath(from).c_str(), name, value.data(), value.size());
    if (size < 0 && (errno == ENODATA || errno == EOPNOTSUPP)) continue;
    if (size < 0 || ::setxattr(ProcPath(to).c_str(), name, value.data(), static_cast<size_t>(size), 0) != 0) {
      return LastErrno("access list in the layer");
    }
  }
  const mode_t mode = is.st_mode & kPermissionMask;
  return ErrnoStatus(::chmod(ProcPath(to).c_str(), mode) == 0 ? 0 : errno, "permissions in the layer");
}

absl::Status CopyTimes(int fd, const Attributes& attributes) {
  const timespec times[2] = {ToTimespec(attributes.atime_ns), ToTimespec(attributes.mtime_ns)};
  return ErrnoStatus(::utimensat(fd, "", times, AT_EMPTY_PATH) == 0 ? 0 : errno, "times in the layer");
}

bool MayBeLeftOut(const absl::Status& status) {
  if (!HasErrno(status)) return false;
  const int error = ToErrno(status);
  return error == EPERM || error == EACCES || error == EOPNOTSUPP || error == EINVAL || error == ENODATA;
}

absl::Status CopyXattrs(const CallContext& context, FileSystem& from, NodeId node, int fd, std::string_view except) {
  const auto names = from.ListXattr(context, node);
  if (!names.ok()) return ToErrno(names.status()) == EOPNOTSUPP ? absl::OkStatus() : names.status();
  for (const std::string& name : *names) {
    if (name == except) continue;
    const auto value = from.GetXattr(context, node, name);
    if (MayBeLeftOut(value.status())) continue;
    RETURN_IF_ERROR(value.status());
    const int result = ::setxattr(ProcPath(fd).c_str(), name.c_str(), value->data(), value->size(), 0);
    const absl::Status set = ErrnoStatus(result == 0 ? 0 : errno, "attributes in the layer");
    if (!MayBeLeftOut(set)) RETURN_IF_ERROR(set);
  }
  return absl::OkStatus();
}

absl::Status MakeSpecialFile(int directory, const std::string& name, const Attributes& attributes) {
  const bool device = attributes.type == FileType::kCharacterDevice || attributes.type == FileType::kBlockDevice;
  const dev_t number = device ? ::makedev(attributes.rdev_major, attributes.rdev_minor) : 0;
  const int result = ::mknodat(directory, name.c_str(), ToMode(attributes.type, 0600), number);
  return ErrnoStatus(result == 0 ? 0 : errno, "copy to the layer");
}

absl::Status CopyData(const CallContext& context, FileSystem& from, HandleId handle, int to, uint64_t size, bool sparse,
                      const std::function<void(uint64_t done)>& told) {
  Progress progress(told);
  if (::ftruncate(to, static_cast<off_t>(size)) != 0) return LastErrno("copy to the layer");
  uint64_t begin = 0;
  while (begin < size) {
    uint64_t end = size;
    if (sparse) {
      const auto data = from.Seek(context, handle, begin, SeekWhence::kData);
      if (ToErrno(data.status()) == ENXIO) break;  // a hole to the end
      RETURN_IF_ERROR(data.status());
      ASSIGN_OR_RETURN(const uint64_t hole, from.Seek(context, handle, *data, SeekWhence::kHole));
      begin = std::max(begin, *data);
      end = std::min(size, std::max(hole, begin));
      if (begin >= end) break;
    }
    RETURN_IF_ERROR(CopyRange(context, from, handle, to, begin, end, progress));
    begin = end;
  }
  progress.End(size);
  return absl::OkStatus();
}

KeptTimes::~KeptTimes() {
  if (!known_) return;
  const timespec times[2] = {stat_.st_atim, stat_.st_mtim};
  static_cast<void>(::utimensat(directory_, "", times, AT_EMPTY_PATH));
}

}  // namespace mirrorfs
