// Changing the tree.
#include <cerrno>
#include <utility>

#include "fusefs/remote/remote_file_system.h"
#include "protos/wire/check.h"
#include "protos/wire/convert_attributes.h"
#include "protos/wire/convert_files.h"

namespace mirrorfs {
namespace {

using Stub = v1::FileSystem::Stub;

template <typename Request>
void SetWhere(const FileSystem::NewNode& where, Request& request) {
  request.set_parent(ToNumber(where.parent));
  request.set_name(std::string(where.name));
  request.set_proposed_node(ToNumber(where.proposed));
  if constexpr (requires { request.set_permissions(0); }) {
    request.set_permissions(where.permissions);
    request.set_umask(where.umask);
  }
}

absl::Status LostAtOnce() { return ErrnoStatus(EIO, "the agent was lost right after it answered"); }

}  // namespace

absl::StatusOr<Entry> RemoteFileSystem::TakeEntry(Method method, Generation generation, const v1::EntryReply& reply,
                                                  NodeId parent, std::string_view name) {
  ASSIGN_OR_RETURN(Entry entry, caller_.Checked(method, Unpack(reply)));
  if (!nodes_.Learn(generation, entry, parent, name)) return LostAtOnce();
  return entry;
}

absl::StatusOr<Entry> RemoteFileSystem::Mknod(const CallContext& context, const NewNode& where, FileType type,
                                              uint32_t rdev_major, uint32_t rdev_minor) {
  RETURN_IF_ERROR(CheckName(where.name));
  v1::MknodRequest request;
  SetWhere(where, request);
  request.set_type(PackType(type));
  request.set_rdev_major(rdev_major);
  request.set_rdev_minor(rdev_minor);
  v1::EntryReply reply;
  ASSIGN_OR_RETURN(const Generation generation, caller_.Call(Method::kMknod, context, request, reply, &Stub::Mknod));
  return TakeEntry(Method::kMknod, generation, reply, where.parent, where.name);
}

absl::StatusOr<Entry> RemoteFileSystem::Mkdir(const CallContext& context, const NewNode& where) {
  RETURN_IF_ERROR(CheckName(where.name));
  v1::MkdirRequest request;
  SetWhere(where, request);
  v1::EntryReply reply;
  ASSIGN_OR_RETURN(const Generation generation, caller_.Call(Method::kMkdir, context, request, reply, &Stub::Mkdir));
  return TakeEntry(Method::kMkdir, generation, reply, where.parent, where.name);
}

absl::StatusOr<Entry> RemoteFileSystem::Symlink(const CallContext& context, const NewNode& where,
                                                std::string_view target) {
  RETURN_IF_ERROR(CheckName(where.name));
  v1::SymlinkRequest request;
  SetWhere(where, request);
  request.set_target(std::string(target));
  v1::EntryReply reply;
  ASSIGN_OR_RETURN(const Generation generation,
                   caller_.Call(Method::kSymlink, context, request, reply, &Stub::Symlink));
  return TakeEntry(Method::kSymlink, generation, reply, where.parent, where.name);
}

absl::StatusOr<Entry> RemoteFileSystem::Link(const CallContext& context, NodeId node, NodeId new_parent,
                                             std::string_view new_name) {
  RETURN_IF_ERROR(CheckName(new_name));
  v1::LinkRequest request;
  request.set_node(ToNumber(node));
  request.set_new_parent(ToNumber(new_parent));
  request.set_new_name(std::string(new_name));
  v1::EntryReply reply;
  ASSIGN_OR_RETURN(const Generation generation, caller_.Call(Method::kLink, context, request, reply, &Stub::Link));
  return TakeEntry(Method::kLink, generation, reply, new_parent, new_name);
}

absl::StatusOr<Removed> RemoteFileSystem::Unlink(const CallContext& context, NodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckName(name));
  v1::UnlinkRequest request;
  request.set_parent(ToNumber(parent));
  request.set_name(std::string(name));
  v1::RemoveReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kUnlink, context, request, reply, &Stub::Unlink).status());
  return caller_.Checked(Method::kUnlink, Unpack(reply));
}

absl::StatusOr<Removed> RemoteFileSystem::Rmdir(const CallContext& context, NodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckName(name));
  v1::RmdirRequest request;
  request.set_parent(ToNumber(parent));
  request.set_name(std::string(name));
  v1::RemoveReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kRmdir, context, request, reply, &Stub::Rmdir).status());
  return caller_.Checked(Method::kRmdir, Unpack(reply));
}

absl::StatusOr<Renamed> RemoteFileSystem::Rename(const CallContext& context, NodeId parent, std::string_view name,
                                                 NodeId new_parent, std::string_view new_name, RenameMode mode) {
  RETURN_IF_ERROR(CheckName(name));
  RETURN_IF_ERROR(CheckName(new_name));
  v1::RenameRequest request;
  request.set_parent(ToNumber(parent));
  request.set_name(std::string(name));
  request.set_new_parent(ToNumber(new_parent));
  request.set_new_name(std::string(new_name));
  request.set_mode(Pack(mode));
  v1::RenameReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kRename, context, request, reply, &Stub::Rename).status());
  nodes_.Renamed(parent, name, new_parent, new_name, mode);
  return caller_.Checked(Method::kRename, Unpack(reply));
}

absl::StatusOr<CreateResult> RemoteFileSystem::Create(const CallContext& context, const NewNode& where, bool exclusive,
                                                      HandleId handle, OpenFlags flags) {
  RETURN_IF_ERROR(CheckName(where.name));
  v1::CreateRequest request;
  SetWhere(where, request);
  request.set_exclusive(exclusive);
  request.set_handle(ToNumber(handle));
  Pack(flags, *request.mutable_flags());
  v1::CreateReply reply;
  const absl::StatusOr<Generation> answered = caller_.Call(Method::kCreate, context, request, reply, &Stub::Create);
  if (!answered.ok()) return GivenUp(answered.status(), handle);
  const Generation generation = *answered;
  ASSIGN_OR_RETURN(CreateResult result, caller_.Checked(Method::kCreate, Unpack(reply)));
  if (!nodes_.Learn(generation, result.entry, where.parent, where.name)) return LostAtOnce();
  if (!handles_.Opened(generation, handle, result.entry.node, flags)) return LostAtOnce();
  return result;
}

}  // namespace mirrorfs
