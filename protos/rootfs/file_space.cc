// Fallocate, Seek, CopyFileRange.
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "protos/rootfs/kernel_calls.h"
#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

// A call copies no more than this where the data has to be moved, so that it ends within any deadline.
constexpr uint64_t kMostCopiedBytes = 64 << 20;

bool BeyondFiles(uint64_t offset) { return offset > static_cast<uint64_t>(kMaxFileOffset); }

int FallocateFlags(FallocateMode mode, bool keep_size) {
  const int keep = keep_size ? FALLOC_FL_KEEP_SIZE : 0;
  switch (mode) {
    case FallocateMode::kAllocate:
      return keep;
    case FallocateMode::kPunchHole:
      return FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    case FallocateMode::kCollapseRange:
      return FALLOC_FL_COLLAPSE_RANGE | keep;
    case FallocateMode::kZeroRange:
      return FALLOC_FL_ZERO_RANGE | keep;
    case FallocateMode::kInsertRange:
      return FALLOC_FL_INSERT_RANGE | keep;
    case FallocateMode::kUnshareRange:
      return FALLOC_FL_UNSHARE_RANGE | keep;
  }
  return -1;  // refused by the kernel: EOPNOTSUPP
}

}  // namespace

absl::Status RootedFilesystemImpl::Fallocate(const CallContext& context, HandleId handle, FallocateMode mode,
                                             bool keep_size, uint64_t offset, uint64_t length) {
  if (!options_.read_write) return ErrnoStatus(EROFS);
  ASSIGN_OR_RETURN(const OpenDescriptor file, handles_.Find(handle));
  if (BeyondFiles(offset) || BeyondFiles(length)) return ErrnoStatus(EINVAL);
  ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {file.fd->get()}));
  int result = 0;
  do {
    result = ::fallocate(file.fd->get(), FallocateFlags(mode, keep_size), static_cast<off_t>(offset),
                         static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return LastErrno("fallocate");
  return CheckAlive();
}

absl::StatusOr<uint64_t> RootedFilesystemImpl::Seek(const CallContext& context, HandleId handle, uint64_t offset,
                                                    SeekWhence whence) {
  ASSIGN_OR_RETURN(const OpenDescriptor file, handles_.Find(handle));
  if (BeyondFiles(offset)) return ErrnoStatus(ENXIO);
  if (FaultPlanted("holes_are_data") && whence == SeekWhence::kData) return offset;
  // The position that this moves is not used by anything.
  const off_t found =
      ::lseek(file.fd->get(), static_cast<off_t>(offset), whence == SeekWhence::kData ? SEEK_DATA : SEEK_HOLE);
  if (found < 0) return LastErrno("lseek");
  return static_cast<uint64_t>(found);
}

absl::StatusOr<uint64_t> RootedFilesystemImpl::CopyFileRange(const CallContext& context, HandleId source,
                                                             uint64_t source_offset, HandleId destination,
                                                             uint64_t destination_offset, uint64_t length) {
  if (!options_.read_write) return ErrnoStatus(EROFS);
  ASSIGN_OR_RETURN(const OpenDescriptor from, handles_.Find(source));
  ASSIGN_OR_RETURN(const OpenDescriptor to, handles_.Find(destination));
  if (BeyondFiles(source_offset) || BeyondFiles(destination_offset)) return ErrnoStatus(EINVAL);
  auto from_offset = static_cast<off_t>(source_offset) + (FaultPlanted("copy_from_next_byte") ? 1 : 0);
  auto to_offset = static_cast<off_t>(destination_offset);
  ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {to.fd->get()}));
  const ssize_t count =
      ::copy_file_range(from.fd->get(), &from_offset, to.fd->get(), &to_offset, std::min(length, kMostCopiedBytes), 0);
  if (count < 0) return LastErrno("copy_file_range");
  RETURN_IF_ERROR(CheckAlive());
  return static_cast<uint64_t>(count);
}

}  // namespace mirrorfs
