// Changing the tree.
#include <cerrno>

#include "agent/service/handlers.h"
#include "protos/wire/check.h"
#include "protos/wire/convert_attributes.h"
#include "protos/wire/convert_files.h"

namespace mirrorfs::handlers {
namespace {

// The part that creating requests share. The name lives as long as the request.
template <typename Request>
absl::StatusOr<FileSystem::NewNode> WhereToMake(const Request& request) {
  RETURN_IF_ERROR(CheckName(request.name()));
  FileSystem::NewNode where{
      .parent = NodeId{request.parent()}, .name = request.name(), .proposed = NodeId{request.proposed_node()}};
  if (request.proposed_node() != 0 && (request.proposed_node() & kClientNodeBit) == 0) {
    return ErrnoStatus(EINVAL, "proposed node");
  }
  if constexpr (requires { request.permissions(); }) {
    if (request.permissions() > kPermissionMask) return ErrnoStatus(EINVAL, "permissions");
    where.permissions = request.permissions();
    where.umask = request.umask() & 0777;
  }
  return where;
}

absl::Status PackEntry(absl::StatusOr<Entry> entry, v1::EntryReply& reply) {
  if (!entry.ok()) return entry.status();
  Pack(*entry, reply);
  return absl::OkStatus();
}

absl::Status PackRemoved(const absl::StatusOr<Removed>& removed, v1::RemoveReply& reply) {
  if (!removed.ok()) return removed.status();
  Pack(*removed, reply);
  return absl::OkStatus();
}

}  // namespace

absl::Status Mknod(Session& session, const CallContext& context, const v1::MknodRequest& request,
                   v1::EntryReply& reply) {
  ASSIGN_OR_RETURN(const FileSystem::NewNode where, WhereToMake(request));
  ASSIGN_OR_RETURN(const FileType type, UnpackType(request.type()));
  return PackEntry(session.Files().Mknod(context, where, type, request.rdev_major(), request.rdev_minor()), reply);
}

absl::Status Mkdir(Session& session, const CallContext& context, const v1::MkdirRequest& request,
                   v1::EntryReply& reply) {
  ASSIGN_OR_RETURN(const FileSystem::NewNode where, WhereToMake(request));
  return PackEntry(session.Files().Mkdir(context, where), reply);
}

absl::Status Symlink(Session& session, const CallContext& context, const v1::SymlinkRequest& request,
                     v1::EntryReply& reply) {
  ASSIGN_OR_RETURN(const FileSystem::NewNode where, WhereToMake(request));
  RETURN_IF_ERROR(CheckTarget(request.target()));
  return PackEntry(session.Files().Symlink(context, where, request.target()), reply);
}

absl::Status Link(Session& session, const CallContext& context, const v1::LinkRequest& request, v1::EntryReply& reply) {
  RETURN_IF_ERROR(CheckName(request.new_name()));
  return PackEntry(
      session.Files().Link(context, NodeId{request.node()}, NodeId{request.new_parent()}, request.new_name()), reply);
}

absl::Status Unlink(Session& session, const CallContext& context, const v1::UnlinkRequest& request,
                    v1::RemoveReply& reply) {
  RETURN_IF_ERROR(CheckName(request.name()));
  return PackRemoved(session.Files().Unlink(context, NodeId{request.parent()}, request.name()), reply);
}

absl::Status Rmdir(Session& session, const CallContext& context, const v1::RmdirRequest& request,
                   v1::RemoveReply& reply) {
  RETURN_IF_ERROR(CheckName(request.name()));
  return PackRemoved(session.Files().Rmdir(context, NodeId{request.parent()}, request.name()), reply);
}

absl::Status Rename(Session& session, const CallContext& context, const v1::RenameRequest& request,
                    v1::RenameReply& reply) {
  RETURN_IF_ERROR(CheckName(request.name()));
  RETURN_IF_ERROR(CheckName(request.new_name()));
  ASSIGN_OR_RETURN(const RenameMode mode, Unpack(request.mode()));
  ASSIGN_OR_RETURN(const Renamed renamed,
                   session.Files().Rename(context, NodeId{request.parent()}, request.name(),
                                          NodeId{request.new_parent()}, request.new_name(), mode));
  Pack(renamed, reply);
  return absl::OkStatus();
}

absl::Status Create(Session& session, const CallContext& context, const v1::CreateRequest& request,
                    v1::CreateReply& reply) {
  ASSIGN_OR_RETURN(const FileSystem::NewNode where, WhereToMake(request));
  if (request.handle() == 0) return ErrnoStatus(EINVAL, "handle");
  FileSystem& files = session.Files();
  ASSIGN_OR_RETURN(const CreateResult result, files.Create(context, where, request.exclusive(),
                                                           HandleId{request.handle()}, Unpack(request.flags())));
  Pack(result, reply);
  return absl::OkStatus();
}

}  // namespace mirrorfs::handlers
