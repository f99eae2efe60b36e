// Open files and locks.
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "protos/shared/errno_status.h"
#include "tests/native/act_as.h"
#include "tests/native/native_filesystem.h"
#include "tests/native/system_calls.h"

namespace mirrorfs {
namespace {

// O_DIRECT wants memory that is aligned to the device's blocks.
constexpr size_t kAlignment = 4096;
using AlignedBuffer = std::unique_ptr<char, decltype(&free)>;

AlignedBuffer Allocate(size_t size) {
  const size_t rounded = (size + kAlignment) / kAlignment * kAlignment;
  return AlignedBuffer(static_cast<char*>(aligned_alloc(kAlignment, rounded)), &free);
}

absl::StatusOr<std::string> ReadAll(int fd, uint64_t offset, size_t size) {
  AlignedBuffer buffer = Allocate(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t count = pread(fd, buffer.get() + done, size - done, offset + done);
    if (count < 0) return LastErrno("read");
    if (count == 0) break;
    done += count;
  }
  return std::string(buffer.get(), done);
}

int ToFallocateMode(FallocateMode mode, bool keep_size) {
  const int keep = keep_size ? FALLOC_FL_KEEP_SIZE : 0;
  switch (mode) {
    case FallocateMode::kAllocate:
      return keep;
    case FallocateMode::kPunchHole:
      return FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    case FallocateMode::kCollapseRange:
      return FALLOC_FL_COLLAPSE_RANGE;
    case FallocateMode::kZeroRange:
      return FALLOC_FL_ZERO_RANGE | keep;
    case FallocateMode::kInsertRange:
      return FALLOC_FL_INSERT_RANGE;
    case FallocateMode::kUnshareRange:
      return FALLOC_FL_UNSHARE_RANGE | keep;
  }
  return -1;
}

struct flock ToFlock(const LockRange& lock) {
  struct flock result = {};
  result.l_type = lock.type == LockType::kRead ? F_RDLCK : lock.type == LockType::kWrite ? F_WRLCK : F_UNLCK;
  result.l_whence = SEEK_SET;
  result.l_start = lock.start;
  result.l_len = lock.end == kLockToEndOfFile ? 0 : lock.end - lock.start + 1;
  return result;
}

LockRange ToLockRange(const struct flock& lock) {
  LockRange result;
  result.type = lock.l_type == F_RDLCK   ? LockType::kRead
                : lock.l_type == F_WRLCK ? LockType::kWrite
                                         : LockType::kUnlock;
  result.start = lock.l_start;
  result.end = lock.l_len == 0 ? kLockToEndOfFile : lock.l_start + lock.l_len - 1;
  result.pid = lock.l_pid > 0 ? lock.l_pid : 0;
  return result;
}

int TryLock(int fd, LockKind kind, const LockRange& lock) {
  if (kind == LockKind::kRange) {
    struct flock range = ToFlock(lock);
    return fcntl(fd, F_OFD_SETLK, &range);
  }
  const int operation = lock.type == LockType::kRead ? LOCK_SH : lock.type == LockType::kWrite ? LOCK_EX : LOCK_UN;
  return flock(fd, operation | LOCK_NB);
}

}  // namespace

absl::StatusOr<OpenResult> NativeFileSystem::Opened(NodeId node, HandleId id, UniqueFd fd, OpenFlags flags,
                                                    uint32_t inline_bytes) {
  OpenResult result;
  ASSIGN_OR_RETURN(result.attributes, AttributesOf(fd.get()));
  if (inline_bytes > 0 && flags.read) {
    ASSIGN_OR_RETURN(result.inline_data, ReadAll(fd.get(), 0, inline_bytes));
  }
  RETURN_IF_ERROR(handles_.Add(id, std::make_shared<NativeHandle>(node, std::move(fd), flags)));
  return result;
}

absl::StatusOr<OpenResult> NativeFileSystem::Open(const CallContext& context, NodeId node, HandleId handle,
                                                  OpenFlags flags, uint32_t inline_bytes) {
  if (handle == HandleId::kNone || handles_.Contains(handle)) return ErrnoStatus(EINVAL, "handle");
  ASSIGN_OR_RETURN(auto file, nodes_.Find(node));
  ActAs who(Who(context));
  ASSIGN_OR_RETURN(const Attributes attributes, AttributesOf(file->fd.get()));
  if (attributes.type == FileType::kDirectory) return ErrnoStatus(EISDIR);
  if (attributes.type != FileType::kRegular) return ErrnoStatus(ENXIO);
  UniqueFd fd(open(file->Path().c_str(), ToOpenFlags(flags)));
  if (!fd) return LastErrno("open");
  return Opened(node, handle, std::move(fd), flags, inline_bytes);
}

absl::StatusOr<CreateResult> NativeFileSystem::Create(const CallContext& context, const NewNode& where, bool exclusive,
                                                      HandleId handle, OpenFlags flags) {
  RETURN_IF_ERROR(CheckName(where.name));
  if (handle == HandleId::kNone || handles_.Contains(handle)) return ErrnoStatus(EINVAL, "handle");
  ASSIGN_OR_RETURN(auto parent, nodes_.Find(where.parent));
  ActAs who(Who(context));
  const std::string name(where.name);
  CreateResult result;
  result.created = faccessat(parent->fd.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0;
  UniqueFd fd;
  {
    WithUmask mask(where.umask);
    const int create = O_CREAT | O_NOFOLLOW | (exclusive ? O_EXCL : 0);
    fd.reset(openat(parent->fd.get(), name.c_str(), ToOpenFlags(flags) | create, where.permissions));
    if (!fd) return LastErrno("create");
  }
  ASSIGN_OR_RETURN(const Attributes attributes, AttributesOf(fd.get()));
  if (attributes.type != FileType::kRegular) return ErrnoStatus(ENXIO);
  ASSIGN_OR_RETURN(result.entry, EntryOf(parent->fd.get(), name, where.proposed));
  RETURN_IF_ERROR(Opened(result.entry.node, handle, std::move(fd), flags, 0).status());
  return result;
}

absl::StatusOr<absl::Cord> NativeFileSystem::Read(const CallContext& context, HandleId handle, uint64_t offset,
                                                  uint32_t size) {
  ASSIGN_OR_RETURN(auto file, handles_.Find(handle));
  ASSIGN_OR_RETURN(const std::string data, ReadAll(file->fd.get(), offset, size));
  return absl::Cord(data);
}

absl::StatusOr<Written> NativeFileSystem::Write(const CallContext& context, HandleId handle, uint64_t offset,
                                                absl::Cord data) {
  ASSIGN_OR_RETURN(auto file, handles_.Find(handle));
  ActAs who(Who(context));
  AlignedBuffer buffer = Allocate(data.size());
  const std::string flat(data);
  flat.copy(buffer.get(), flat.size());
  size_t done = 0;
  do {
    const ssize_t count = pwrite(file->fd.get(), buffer.get() + done, flat.size() - done, offset + done);
    if (count < 0 && done == 0) return LastErrno("write");
    if (count <= 0) break;
    done += count;
  } while (done < flat.size());
  return Written{.bytes = done};
}

absl::Status NativeFileSystem::Fsync(const CallContext& context, HandleId handle, bool data_only) {
  ASSIGN_OR_RETURN(auto file, handles_.Find(handle));
  return ToStatus(data_only ? fdatasync(file->fd.get()) : fsync(file->fd.get()), "fsync");
}

absl::Status NativeFileSystem::Fsyncdir(const CallContext& context, NodeId node, bool data_only) {
  ASSIGN_OR_RETURN(auto directory, nodes_.Find(node));
  UniqueFd fd(open(directory->Path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return LastErrno("opendir");
  return ToStatus(data_only ? fdatasync(fd.get()) : fsync(fd.get()), "fsyncdir");
}

absl::Status NativeFileSystem::Fallocate(const CallContext& context, HandleId handle, FallocateMode mode,
                                         bool keep_size, uint64_t offset, uint64_t length) {
  ASSIGN_OR_RETURN(auto file, handles_.Find(handle));
  ActAs who(Who(context));
  return ToStatus(fallocate(file->fd.get(), ToFallocateMode(mode, keep_size), offset, length), "fallocate");
}

absl::StatusOr<uint64_t> NativeFileSystem::Seek(const CallContext& context, HandleId handle, uint64_t offset,
                                                SeekWhence whence) {
  ASSIGN_OR_RETURN(auto file, handles_.Find(handle));
  const off_t found = lseek(file->fd.get(), offset, whence == SeekWhence::kData ? SEEK_DATA : SEEK_HOLE);
  if (found < 0) return LastErrno("lseek");
  return found;
}

absl::StatusOr<uint64_t> NativeFileSystem::CopyFileRange(const CallContext& context, HandleId source,
                                                         uint64_t source_offset, HandleId destination,
                                                         uint64_t destination_offset, uint64_t length) {
  ASSIGN_OR_RETURN(auto from, handles_.Find(source));
  ASSIGN_OR_RETURN(auto to, handles_.Find(destination));
  ActAs who(Who(context));
  off_t in = source_offset;
  off_t out = destination_offset;
  const ssize_t copied = copy_file_range(from->fd.get(), &in, to->fd.get(), &out, length, 0);
  if (copied < 0) return LastErrno("copy_file_range");
  return copied;
}

absl::StatusOr<LockRange> NativeFileSystem::GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                                    const LockRange& lock) {
  ASSIGN_OR_RETURN(auto file, handles_.Find(handle));
  ASSIGN_OR_RETURN(auto fd, handles_.LockDescriptor(handle, *file, owner, LockKind::kRange));
  struct flock range = ToFlock(lock);
  if (fcntl(fd->get(), F_OFD_GETLK, &range) != 0) return LastErrno("getlk");
  if (range.l_type == F_UNLCK) return LockRange{};
  return ToLockRange(range);
}

absl::Status NativeFileSystem::SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                                       const LockRange& lock, absl::Duration wait) {
  ASSIGN_OR_RETURN(auto file, handles_.Find(handle));
  if (lock.start > lock.end) return ErrnoStatus(EINVAL, "lock");
  const bool range = kind == LockKind::kRange;
  if (range && lock.type == LockType::kWrite && !file->flags.write) return ErrnoStatus(EBADF, "lock");
  if (range && lock.type == LockType::kRead && !file->flags.read) return ErrnoStatus(EBADF, "lock");
  ASSIGN_OR_RETURN(auto fd, handles_.LockDescriptor(handle, *file, owner, kind));
  const absl::Time end = std::min(absl::Now() + wait, context.deadline);
  while (TryLock(fd->get(), kind, lock) != 0) {
    if ((errno != EAGAIN && errno != EACCES) || absl::Now() >= end) return LastErrno("lock");
    if (context.stop.stop_requested()) return ErrnoStatus(EINTR, "lock");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return absl::OkStatus();
}

void NativeFileSystem::Release(absl::Span<const HandleId> handles) {
  for (const HandleId handle : handles) handles_.Release(handle);
}

}  // namespace mirrorfs
