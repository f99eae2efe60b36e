// Calls on ranges of open files.
#include "fusefs/core/filesystem_core.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::Status FilesystemCore::Fallocate(const CallContext& context, HandleId handle, FallocateMode mode, bool keep_size,
                                       uint64_t offset, uint64_t length) {
  ASSIGN_OR_RETURN(const OpenFilePtr file, FindFile(handle));
  RETURN_IF_ERROR(Settle(context, *file->inode));
  file->inode->ForgetPages();
  Inode::Change changing(*file->inode);
  return files_.Fallocate(context, handle, mode, keep_size, offset, length);
}

absl::StatusOr<uint64_t> FilesystemCore::Seek(const CallContext& context, HandleId handle, uint64_t offset,
                                              SeekWhence whence) {
  ASSIGN_OR_RETURN(const OpenFilePtr file, FindFile(handle));
  RETURN_IF_ERROR(Settle(context, *file->inode));
  return files_.Seek(context, handle, offset, whence);
}

absl::StatusOr<uint64_t> FilesystemCore::CopyFileRange(const CallContext& context, HandleId source,
                                                       uint64_t source_offset, HandleId destination,
                                                       uint64_t destination_offset, uint64_t length) {
  ASSIGN_OR_RETURN(const OpenFilePtr from, FindFile(source));
  ASSIGN_OR_RETURN(const OpenFilePtr to, FindFile(destination));
  RETURN_IF_ERROR(Settle(context, *from->inode));
  RETURN_IF_ERROR(Settle(context, *to->inode));
  to->inode->ForgetPages();
  Inode::Change changing(*to->inode);
  from->inode->ForgetTold();
  auto copied = files_.CopyFileRange(context, source, source_offset, destination, destination_offset, length);
  from->inode->ForgetTold();
  return copied;
}

}  // namespace mirrorfs
