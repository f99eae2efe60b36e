// Open files, locks, and giving back.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "fusefs/remote/remote_file_system.h"
#include "protos/wire/convert_attributes.h"
#include "protos/wire/convert_files.h"

namespace mirrorfs {
namespace {

using Stub = v1::FileSystem::Stub;

// Longest that the agent holds back the answer to one SetLock.
constexpr absl::Duration kLongestLockWait = absl::Seconds(1);

}  // namespace

absl::StatusOr<OpenResult> RemoteFileSystem::Open(const CallContext& context, NodeId node, HandleId handle,
                                                  OpenFlags flags, uint32_t inline_bytes) {
  const Method method = flags.truncate ? Method::kOpenTruncate : Method::kOpen;
  v1::OpenRequest request;
  request.set_node(ToNumber(node));
  request.set_handle(ToNumber(handle));
  Pack(flags, *request.mutable_flags());
  request.set_inline_bytes(inline_bytes);
  v1::OpenReply reply;
  while (true) {
    const absl::StatusOr<Generation> answered = caller_.Call(method, context, request, reply, &Stub::Open);
    if (!answered.ok()) return GivenUp(answered.status(), handle);
    const Generation generation = *answered;
    ASSIGN_OR_RETURN(OpenResult result, caller_.Checked(method, Unpack(std::move(reply), inline_bytes)));
    if (handles_.Opened(generation, handle, node, flags)) return result;
    // The session was lost just now, and the handle with it: open it in the new one. What is truncated already stays
    // so.
    request.mutable_flags()->set_truncate(false);
  }
}

absl::Status RemoteFileSystem::GivenUp(absl::Status why, HandleId handle) {
  const int error = ToErrno(why);
  if (error == EINTR || error == ETIMEDOUT) give_back_.Release(handles_.Present(), handle, false);
  return why;
}

absl::Status RemoteFileSystem::Fsync(const CallContext& context, HandleId handle, bool data_only) {
  RETURN_IF_ERROR(handles_.Check(handle));
  v1::FsyncRequest request;
  request.set_handle(ToNumber(handle));
  request.set_data_only(data_only);
  v1::EmptyReply reply;
  return caller_.Call(Method::kFsync, context, request, reply, &Stub::Fsync).status();
}

absl::Status RemoteFileSystem::Fsyncdir(const CallContext& context, NodeId node, bool data_only) {
  v1::FsyncdirRequest request;
  request.set_node(ToNumber(node));
  request.set_data_only(data_only);
  v1::EmptyReply reply;
  return caller_.Call(Method::kFsyncdir, context, request, reply, &Stub::Fsyncdir).status();
}

absl::Status RemoteFileSystem::Fallocate(const CallContext& context, HandleId handle, FallocateMode mode,
                                         bool keep_size, uint64_t offset, uint64_t length) {
  RETURN_IF_ERROR(handles_.Check(handle));
  v1::FallocateRequest request;
  request.set_handle(ToNumber(handle));
  request.set_mode(Pack(mode));
  request.set_keep_size(keep_size);
  request.set_offset(offset);
  request.set_length(length);
  v1::EmptyReply reply;
  return caller_.Call(Method::kFallocate, context, request, reply, &Stub::Fallocate).status();
}

absl::StatusOr<uint64_t> RemoteFileSystem::Seek(const CallContext& context, HandleId handle, uint64_t offset,
                                                SeekWhence whence) {
  RETURN_IF_ERROR(handles_.Check(handle));
  v1::SeekRequest request;
  request.set_handle(ToNumber(handle));
  request.set_offset(offset);
  request.set_whence(Pack(whence));
  v1::SeekReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kSeek, context, request, reply, &Stub::Seek).status());
  if (reply.offset() < offset)
    return caller_.Lie(Method::kSeek, absl::InternalError("data before where it was sought"));
  return reply.offset();
}

absl::StatusOr<uint64_t> RemoteFileSystem::CopyFileRange(const CallContext& context, HandleId source,
                                                         uint64_t source_offset, HandleId destination,
                                                         uint64_t destination_offset, uint64_t length) {
  RETURN_IF_ERROR(handles_.Check(source));
  RETURN_IF_ERROR(handles_.Check(destination));
  v1::CopyFileRangeRequest request;
  request.set_source_handle(ToNumber(source));
  request.set_source_offset(source_offset);
  request.set_destination_handle(ToNumber(destination));
  request.set_destination_offset(destination_offset);
  request.set_length(length);
  v1::WriteReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kCopyFileRange, context, request, reply, &Stub::CopyFileRange).status());
  if (reply.written() > length) {
    return caller_.Lie(Method::kCopyFileRange, absl::InternalError("more was copied than asked for"));
  }
  return reply.written();
}

absl::StatusOr<LockRange> RemoteFileSystem::GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                                    const LockRange& lock) {
  RETURN_IF_ERROR(handles_.Check(handle));
  v1::GetLockRequest request;
  request.set_handle(ToNumber(handle));
  request.set_owner(static_cast<uint64_t>(owner));
  Pack(lock, *request.mutable_lock());
  v1::GetLockReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kGetLock, context, request, reply, &Stub::GetLock).status());
  return caller_.Checked(Method::kGetLock, Unpack(reply.lock()));
}

absl::Status RemoteFileSystem::SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                                       const LockRange& lock, absl::Duration wait) {
  RETURN_IF_ERROR(handles_.Check(handle));
  const absl::Time give_up = absl::Now() + wait;
  while (true) {
    const absl::Duration left = std::max(give_up - absl::Now(), absl::ZeroDuration());
    const absl::Status status = SetLockOnce(context, handle, owner, kind, lock, std::min(left, kLongestLockWait));
    if (status.ok()) RecordLock(handle, owner, kind, lock);
    if (ToErrno(status) != EAGAIN || left <= kLongestLockWait) return status;
  }
}

void RemoteFileSystem::RecordLock(HandleId handle, LockOwner owner, LockKind kind, const LockRange& lock) {
  const bool whole = kind == LockKind::kFlock || (lock.start == 0 && lock.end == kLockToEndOfFile);
  if (lock.type != LockType::kUnlock) {
    handles_.Locked(handle, owner);
  } else if (whole) {
    handles_.Unlocked(handle, owner);
  }
}

absl::Status RemoteFileSystem::SetLockOnce(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                                           const LockRange& lock, absl::Duration wait) {
  v1::SetLockRequest request;
  request.set_handle(ToNumber(handle));
  request.set_owner(static_cast<uint64_t>(owner));
  request.set_kind(Pack(kind));
  Pack(lock, *request.mutable_lock());
  request.set_wait_ms(static_cast<uint32_t>(absl::ToInt64Milliseconds(wait)));
  v1::SetLockReply reply;
  return caller_.Call(Method::kSetLock, context, request, reply, &Stub::SetLock).status();
}

void RemoteFileSystem::Forget(absl::Span<const ForgottenNode> nodes) {
  for (const ForgottenNode& node : nodes) give_back_.Forget(nodes_.Forget(node), node);
}

void RemoteFileSystem::Release(absl::Span<const HandleId> handles) {
  for (HandleId handle : handles) {
    const HandleLedger::Released released = handles_.Release(handle);
    if (released.generation != Generation::kNone) give_back_.Release(released.generation, handle, released.urgent);
  }
}

}  // namespace mirrorfs
