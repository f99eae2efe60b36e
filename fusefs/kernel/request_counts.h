// How often the kernel has asked for what.
#ifndef MIRRORFS_FUSEFS_KERNEL_REQUEST_COUNTS_H_
#define MIRRORFS_FUSEFS_KERNEL_REQUEST_COUNTS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace mirrorfs {

enum class FuseOperation : uint8_t {
  kLookup,
  kForget,
  kGetAttr,
  kSetAttr,
  kReadlink,
  kMknod,
  kMkdir,
  kUnlink,
  kRmdir,
  kSymlink,
  kRename,
  kLink,
  kOpen,
  kRead,
  kWrite,
  kFlush,
  kRelease,
  kFsync,
  kOpenDir,
  kReadDir,
  kReadDirPlus,
  kReleaseDir,
  kFsyncdir,
  kStatFs,
  kSetXattr,
  kGetXattr,
  kListXattr,
  kRemoveXattr,
  kAccess,
  kCreate,
  kGetLock,
  kSetLock,
  kFlock,
  kFallocate,
  kCopyFileRange,
  kSeek,
  kCount
};

// Thread-safe.
class RequestCounts {
 public:
  void Add(FuseOperation operation) { counts_[static_cast<size_t>(operation)].fetch_add(1, std::memory_order_relaxed); }
  std::map<std::string, uint64_t> ByName() const {
    std::map<std::string, uint64_t> result;
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (const uint64_t count = counts_[i].load(std::memory_order_relaxed)) result.emplace(kNames[i], count);
    }
    return result;
  }

 private:
  static constexpr size_t kOperations = static_cast<size_t>(FuseOperation::kCount);
  static constexpr std::array<std::string_view, kOperations> kNames = {
      "Lookup",   "Forget",    "GetAttr",       "SetAttr",     "Readlink",    "Mknod",      "Mkdir",    "Unlink",
      "Rmdir",    "Symlink",   "Rename",        "Link",        "Open",        "Read",       "Write",    "Flush",
      "Release",  "Fsync",     "OpenDir",       "ReadDir",     "ReadDirPlus", "ReleaseDir", "Fsyncdir", "StatFs",
      "SetXattr", "GetXattr",  "ListXattr",     "RemoveXattr", "Access",      "Create",     "GetLock",  "SetLock",
      "Flock",    "Fallocate", "CopyFileRange", "Seek"};

  std::array<std::atomic<uint64_t>, kOperations> counts_{};
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_REQUEST_COUNTS_H_
