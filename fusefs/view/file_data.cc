// Read, Write, Fsync, Fallocate, Seek, CopyFileRange.
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {

absl::Status ViewFileSystemImpl::PrepareWrite(const CallContext& context, const ViewHandle& handle) {
  if (!handle.node->WritesGoToLayer() || handle.side() == Side::kLayer) return absl::OkStatus();
  if (!Has(Side::kLayer)) return ErrnoStatus(EROFS);
  if (!handle.flags.write) return ErrnoStatus(EBADF);
  RETURN_IF_ERROR(CopyUp(context, handle.node).status());
  return MoveToCopy(context, handle);
}

absl::StatusOr<absl::Cord> ViewFileSystemImpl::Read(const CallContext& context, HandleId handle, uint64_t offset,
                                                    uint32_t size) {
  ASSIGN_OR_RETURN(const ViewHandlePtr open, FindHandle(handle));
  if (!open->flags.read) return ErrnoStatus(EBADF);
  return OnHandle(*open, [&](Side side) { return On(side).Read(context, handle, offset, size); });
}

void ViewFileSystemImpl::StartRead(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size,
                                   ReadDone done) {
  const absl::StatusOr<ViewHandlePtr> open = FindHandle(handle);
  const bool later =
      container_reads_ != nullptr && open.ok() && (*open)->flags.read && (*open)->side() == Side::kContainer;
  if (!later) return std::move(done)(Read(context, handle, offset, size));
  auto finish = [this, context, handle, offset, size, open = *open,
                 done = std::move(done)](absl::StatusOr<absl::Cord> data) mutable {
    const bool moved = open->side() != Side::kContainer && ToErrno(data.status()) == EBADF;
    std::move(done)(moved ? Read(context, handle, offset, size) : std::move(data));
  };
  container_reads_->StartRead(context, handle, offset, size, std::move(finish));
}

absl::StatusOr<Written> ViewFileSystemImpl::Write(const CallContext& context, HandleId handle, uint64_t offset,
                                                  absl::Cord data) {
  ASSIGN_OR_RETURN(const ViewHandlePtr open, FindHandle(handle));
  RETURN_IF_ERROR(PrepareWrite(context, *open));
  Side side = Side::kContainer;
  absl::StatusOr<Written> written = OnHandle(*open, [&](Side on) {
    side = on;
    return On(on).Write(context, handle, offset, data);
  });
  if (written.ok() && written->attributes) written->attributes = Shown(*open->node, side, *written->attributes);
  return written;
}

absl::Status ViewFileSystemImpl::Fsync(const CallContext& context, HandleId handle, bool data_only) {
  ASSIGN_OR_RETURN(const ViewHandlePtr open, FindHandle(handle));
  return OnHandle(*open, [&](Side side) { return On(side).Fsync(context, handle, data_only); });
}

absl::Status ViewFileSystemImpl::Fallocate(const CallContext& context, HandleId handle, FallocateMode mode,
                                           bool keep_size, uint64_t offset, uint64_t length) {
  ASSIGN_OR_RETURN(const ViewHandlePtr open, FindHandle(handle));
  RETURN_IF_ERROR(PrepareWrite(context, *open));
  return OnHandle(*open,
                  [&](Side side) { return On(side).Fallocate(context, handle, mode, keep_size, offset, length); });
}

absl::StatusOr<uint64_t> ViewFileSystemImpl::Seek(const CallContext& context, HandleId handle, uint64_t offset,
                                                  SeekWhence whence) {
  ASSIGN_OR_RETURN(const ViewHandlePtr open, FindHandle(handle));
  return OnHandle(*open, [&](Side side) { return On(side).Seek(context, handle, offset, whence); });
}

absl::StatusOr<uint64_t> ViewFileSystemImpl::CopyFileRange(const CallContext& context, HandleId source,
                                                           uint64_t source_offset, HandleId destination,
                                                           uint64_t destination_offset, uint64_t length) {
  ASSIGN_OR_RETURN(const ViewHandlePtr from, FindHandle(source));
  ASSIGN_OR_RETURN(const ViewHandlePtr to, FindHandle(destination));
  if (!from->flags.read) return ErrnoStatus(EBADF);
  RETURN_IF_ERROR(PrepareWrite(context, *to));
  return OnHandle(*to, [&](Side side) -> absl::StatusOr<uint64_t> {
    // The kernel reads and writes, then.
    if (from->side() != side) return ErrnoStatus(EXDEV);
    auto copied = On(side).CopyFileRange(context, source, source_offset, destination, destination_offset, length);
    if (from->side() != side) return ErrnoStatus(EXDEV);
    return copied;
  });
}

}  // namespace mirrorfs
