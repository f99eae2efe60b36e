// Open files, and giving back.
#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "agent/service/handlers.h"
#include "protos/wire/convert_attributes.h"
#include "protos/wire/convert_files.h"

namespace mirrorfs::handlers {

absl::Status Open(Session& session, const CallContext& context, const v1::OpenRequest& request, v1::OpenReply& reply) {
  if (request.handle() == 0) return ErrnoStatus(EINVAL, "handle");
  const OpenFlags flags = Unpack(request.flags());
  if (!session.Terms().read_write && (flags.write || flags.append || flags.truncate)) return ErrnoStatus(EROFS, "open");
  const uint32_t inline_bytes = std::min(request.inline_bytes(), session.Limits().max_read);
  ASSIGN_OR_RETURN(OpenResult result, session.Files().Open(context, NodeId{request.node()}, HandleId{request.handle()},
                                                           flags, inline_bytes));
  Pack(std::move(result), reply);
  return absl::OkStatus();
}

absl::Status Fsync(Session& session, const CallContext& context, const v1::FsyncRequest& request, v1::EmptyReply&) {
  return session.Files().Fsync(context, HandleId{request.handle()}, request.data_only());
}

absl::Status Fsyncdir(Session& session, const CallContext& context, const v1::FsyncdirRequest& request,
                      v1::EmptyReply&) {
  return session.Files().Fsyncdir(context, NodeId{request.node()}, request.data_only());
}

absl::Status Fallocate(Session& session, const CallContext& context, const v1::FallocateRequest& request,
                       v1::EmptyReply&) {
  ASSIGN_OR_RETURN(const FallocateMode mode, Unpack(request.mode()));
  return session.Files().Fallocate(context, HandleId{request.handle()}, mode, request.keep_size(), request.offset(),
                                   request.length());
}

absl::Status Seek(Session& session, const CallContext& context, const v1::SeekRequest& request, v1::SeekReply& reply) {
  ASSIGN_OR_RETURN(const SeekWhence whence, Unpack(request.whence()));
  ASSIGN_OR_RETURN(const uint64_t offset,
                   session.Files().Seek(context, HandleId{request.handle()}, request.offset(), whence));
  reply.set_offset(offset);
  return absl::OkStatus();
}

absl::Status CopyFileRange(Session& session, const CallContext& context, const v1::CopyFileRangeRequest& request,
                           v1::WriteReply& reply) {
  ASSIGN_OR_RETURN(const uint64_t copied,
                   session.Files().CopyFileRange(context, HandleId{request.source_handle()}, request.source_offset(),
                                                 HandleId{request.destination_handle()}, request.destination_offset(),
                                                 request.length()));
  reply.set_written(copied);
  return absl::OkStatus();
}

absl::Status GetLock(Session& session, const CallContext& context, const v1::GetLockRequest& request,
                     v1::GetLockReply& reply) {
  ASSIGN_OR_RETURN(const LockRange lock, Unpack(request.lock()));
  ASSIGN_OR_RETURN(const LockRange in_the_way,
                   session.Files().GetLock(context, HandleId{request.handle()}, LockOwner{request.owner()}, lock));
  Pack(in_the_way, *reply.mutable_lock());
  return absl::OkStatus();
}

absl::Status Forget(Session& session, const CallContext&, const v1::ForgetRequest& request, v1::EmptyReply&) {
  std::vector<ForgottenNode> nodes;
  nodes.reserve(request.nodes_size());
  for (const v1::ForgetNode& node : request.nodes()) nodes.push_back({NodeId{node.node()}, node.count()});
  session.Files().Forget(nodes);
  return absl::OkStatus();
}

absl::Status Release(Session& session, const CallContext&, const v1::ReleaseRequest& request, v1::EmptyReply&) {
  std::vector<HandleId> handles;
  handles.reserve(request.handles_size());
  for (const v1::ReleaseHandle& handle : request.handles()) handles.push_back(HandleId{handle.handle()});
  session.Files().Release(handles);
  return absl::OkStatus();
}

absl::Status Reclaim(Session& session, const CallContext&, const v1::ReclaimRequest& request, v1::ReclaimReply& reply) {
  session.Files().GiveOutFrom(NodeId{request.nodes_from()});
  std::vector<ReclaimedNode> nodes;
  nodes.reserve(request.nodes_size());
  for (const v1::ReclaimNode& node : request.nodes()) {
    nodes.push_back({NodeId{node.node()}, NodeId{node.parent()}, node.name(), node.identity(), node.count()});
  }
  std::vector<ReclaimedHandle> handles;
  handles.reserve(request.handles_size());
  for (const v1::ReclaimHandle& handle : request.handles()) {
    OpenFlags flags = Unpack(handle.flags());
    flags.truncate = false;
    if (!session.Terms().read_write && (flags.write || flags.append)) {
      reply.add_lost_handles(handle.handle());
      continue;
    }
    handles.push_back({HandleId{handle.handle()}, NodeId{handle.node()}, flags});
  }
  for (HandleId lost : session.Files().Reclaim(nodes, handles)) reply.add_lost_handles(ToNumber(lost));
  return absl::OkStatus();
}

}  // namespace mirrorfs::handlers
