#include "fusefs/core/filesystem_core.h"

#include <cerrno>
#include <utility>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Enough for the read-ahead and the queued writes of several streams.
constexpr size_t kIoThreads = 32;
// Hardly ever needed at all.
constexpr size_t kReadAgainThreads = 2;

}  // namespace

FilesystemCore::FilesystemCore(FileSystem& files, const Entry& root, const CoreOptions& options)
    : files_(files),
      deferred_reads_(DeferredReads::Of(&files)),
      options_(options),
      inodes_(files, root),
      names_(std::max(options.attr_timeout, options.entry_timeout)),
      attributes_(options.attr_timeout),
      directories_ahead_(pool_),
      pool_(kIoThreads),
      reads_again_(kReadAgainThreads) {
  sweeper_ = std::thread([this] {
    MutexLock lock(sweeping_);
    while (!ending_) {
      lock.WaitUntil(sweep_end_, std::chrono::steady_clock::now() + std::chrono::seconds(1));
      names_.DropOld();
      attributes_.DropOld();
      directories_ahead_.DropOld();
    }
  });
}

FilesystemCore::~FilesystemCore() {
  {
    MutexLock lock(sweeping_);
    ending_ = true;
    sweep_end_.notify_all();
  }
  sweeper_.join();
}

absl::StatusOr<InodePtr> FilesystemCore::FindInode(NodeId node) const {
  InodePtr inode = inodes_.Find(node);
  if (inode == nullptr) return ErrnoStatus(ESTALE, "node");
  return inode;
}

absl::StatusOr<OpenFilePtr> FilesystemCore::FindFile(HandleId handle) const {
  OpenFilePtr file = open_files_.Find(handle);
  if (file == nullptr) return ErrnoStatus(EBADF, "handle");
  return file;
}

absl::Status FilesystemCore::Settle(const CallContext& context, const Inode& inode) {
  return inode.pending_writes()->Wait(context.stop) ? absl::OkStatus() : ErrnoStatus(EINTR, "wait for writes");
}

}  // namespace mirrorfs
