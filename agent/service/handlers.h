// What each method does: unpack, one call of the file system, pack. In the order of the protocol, one file a group.
#ifndef MIRRORFS_AGENT_SERVICE_HANDLERS_H_
#define MIRRORFS_AGENT_SERVICE_HANDLERS_H_

#include "agent/service/call.h"

namespace mirrorfs::handlers {

// handlers_names.cc
absl::Status Lookup(Session&, const CallContext&, const v1::LookupRequest&, v1::EntryReply&);
absl::Status GetAttr(Session&, const CallContext&, const v1::GetAttrRequest&, v1::AttrReply&);
absl::Status SetAttr(Session&, const CallContext&, const v1::SetAttrRequest&, v1::AttrReply&);
absl::Status Readlink(Session&, const CallContext&, const v1::ReadlinkRequest&, v1::ReadlinkReply&);
absl::Status Access(Session&, const CallContext&, const v1::AccessRequest&, v1::EmptyReply&);
absl::Status ReadDir(Session&, const CallContext&, const v1::ReadDirRequest&, v1::ReadDirReply&);
absl::Status StatFs(Session&, const CallContext&, const v1::StatFsRequest&, v1::StatFsReply&);
absl::Status GetXattr(Session&, const CallContext&, const v1::GetXattrRequest&, v1::GetXattrReply&);
absl::Status SetXattr(Session&, const CallContext&, const v1::SetXattrRequest&, v1::EmptyReply&);
absl::Status ListXattr(Session&, const CallContext&, const v1::ListXattrRequest&, v1::ListXattrReply&);
absl::Status RemoveXattr(Session&, const CallContext&, const v1::RemoveXattrRequest&, v1::EmptyReply&);

// handlers_tree.cc
absl::Status Mknod(Session&, const CallContext&, const v1::MknodRequest&, v1::EntryReply&);
absl::Status Mkdir(Session&, const CallContext&, const v1::MkdirRequest&, v1::EntryReply&);
absl::Status Symlink(Session&, const CallContext&, const v1::SymlinkRequest&, v1::EntryReply&);
absl::Status Link(Session&, const CallContext&, const v1::LinkRequest&, v1::EntryReply&);
absl::Status Unlink(Session&, const CallContext&, const v1::UnlinkRequest&, v1::RemoveReply&);
absl::Status Rmdir(Session&, const CallContext&, const v1::RmdirRequest&, v1::RemoveReply&);
absl::Status Rename(Session&, const CallContext&, const v1::RenameRequest&, v1::RenameReply&);
absl::Status Create(Session&, const CallContext&, const v1::CreateRequest&, v1::CreateReply&);

// handlers_files.cc
absl::Status Open(Session&, const CallContext&, const v1::OpenRequest&, v1::OpenReply&);
absl::Status Fsync(Session&, const CallContext&, const v1::FsyncRequest&, v1::EmptyReply&);
absl::Status Fsyncdir(Session&, const CallContext&, const v1::FsyncdirRequest&, v1::EmptyReply&);
absl::Status Fallocate(Session&, const CallContext&, const v1::FallocateRequest&, v1::EmptyReply&);
absl::Status Seek(Session&, const CallContext&, const v1::SeekRequest&, v1::SeekReply&);
absl::Status CopyFileRange(Session&, const CallContext&, const v1::CopyFileRangeRequest&, v1::WriteReply&);
absl::Status GetLock(Session&, const CallContext&, const v1::GetLockRequest&, v1::GetLockReply&);
absl::Status Forget(Session&, const CallContext&, const v1::ForgetRequest&, v1::EmptyReply&);
absl::Status Release(Session&, const CallContext&, const v1::ReleaseRequest&, v1::EmptyReply&);
absl::Status Reclaim(Session&, const CallContext&, const v1::ReclaimRequest&, v1::ReclaimReply&);

// bulk_calls.cc, lock_call.cc: those whose answer is not a plain message given at once.
ParsedCall ParseRead(const grpc::ByteBuffer& bytes);
ParsedCall ParseReadMany(const grpc::ByteBuffer& bytes);
ParsedCall ParseWrite(const grpc::ByteBuffer& bytes);
ParsedCall ParseSetLock(const grpc::ByteBuffer& bytes);

}  // namespace mirrorfs::handlers

#endif  // MIRRORFS_AGENT_SERVICE_HANDLERS_H_
