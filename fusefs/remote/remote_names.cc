// Names and attributes.
#include <cerrno>
#include <utility>

#include "fusefs/remote/remote_file_system.h"
#include "protos/wire/check.h"
#include "protos/wire/convert_attributes.h"

namespace mirrorfs {
namespace {

using Stub = v1::FileSystem::Stub;

// An entry of a directory takes at least this much of a page.
constexpr size_t kLeastEntryBytes = 4;

template <typename Request>
void SetFile(NodeOrHandle file, Request& request) {
  request.set_node(ToNumber(file.node));
  request.set_handle(ToNumber(file.handle));
}

}  // namespace

absl::StatusOr<Entry> RemoteFileSystem::Lookup(const CallContext& context, NodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckName(name));
  v1::LookupRequest request;
  request.set_parent(ToNumber(parent));
  request.set_name(std::string(name));
  v1::EntryReply reply;
  while (true) {
    ASSIGN_OR_RETURN(const Generation generation,
                     caller_.Call(Method::kLookup, context, request, reply, &Stub::Lookup));
    ASSIGN_OR_RETURN(Entry entry, caller_.Checked(Method::kLookup, Unpack(reply.entry())));
    if (nodes_.Learn(generation, entry, parent, name)) return entry;
    // The session was lost just now, and the reference with it: ask the new one.
  }
}

absl::StatusOr<AttributesReply> RemoteFileSystem::GetAttr(const CallContext& context, NodeOrHandle file) {
  RETURN_IF_ERROR(handles_.Check(file.handle));
  v1::GetAttrRequest request;
  SetFile(file, request);
  v1::AttrReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kGetAttr, context, request, reply, &Stub::GetAttr).status());
  return caller_.Checked(Method::kGetAttr, Unpack(reply));
}

absl::StatusOr<AttributesReply> RemoteFileSystem::SetAttr(const CallContext& context, NodeOrHandle file,
                                                          const AttributeChange& change) {
  RETURN_IF_ERROR(handles_.Check(file.handle));
  v1::SetAttrRequest request;
  SetFile(file, request);
  Pack(change, request);
  v1::AttrReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kSetAttr, context, request, reply, &Stub::SetAttr).status());
  return caller_.Checked(Method::kSetAttr, Unpack(reply));
}

absl::StatusOr<std::string> RemoteFileSystem::Readlink(const CallContext& context, NodeId node) {
  v1::ReadlinkRequest request;
  request.set_node(ToNumber(node));
  v1::ReadlinkReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kReadlink, context, request, reply, &Stub::Readlink).status());
  if (const absl::Status target = CheckTarget(reply.target()); !target.ok()) {
    return caller_.Lie(Method::kReadlink, target);
  }
  return std::move(*reply.mutable_target());
}

absl::Status RemoteFileSystem::Access(const CallContext& context, NodeId node, AccessMask mask) {
  v1::AccessRequest request;
  request.set_node(ToNumber(node));
  request.set_read(mask.read);
  request.set_write(mask.write);
  request.set_execute(mask.execute);
  v1::EmptyReply reply;
  return caller_.Call(Method::kAccess, context, request, reply, &Stub::Access).status();
}

absl::StatusOr<DirectoryPage> RemoteFileSystem::ReadDir(const CallContext& context, NodeId node, DirCursor cursor,
                                                        uint32_t max_bytes, bool with_attributes) {
  v1::ReadDirRequest request;
  request.set_node(ToNumber(node));
  request.set_cursor(ToNumber(cursor));
  request.set_max_bytes(max_bytes);
  request.set_with_attributes(with_attributes);
  v1::ReadDirReply reply;
  while (true) {
    ASSIGN_OR_RETURN(const Generation generation,
                     caller_.Call(Method::kReadDir, context, request, reply, &Stub::ReadDir));
    if (static_cast<size_t>(reply.entries_size()) * kLeastEntryBytes > facts_.max_page) {
      return caller_.Lie(Method::kReadDir, absl::InternalError("an overlong page"));
    }
    ASSIGN_OR_RETURN(DirectoryPage page, caller_.Checked(Method::kReadDir, Unpack(reply)));
    if (page.entries.empty() && page.next != DirCursor::kEnd) {
      return caller_.Lie(Method::kReadDir, absl::InternalError("an empty page in the middle of a directory"));
    }
    if (LearnPage(generation, page, node)) return page;
    // The session was lost just now: ask the new one.
  }
}

bool RemoteFileSystem::LearnPage(Generation generation, const DirectoryPage& page, NodeId parent) {
  for (const DirectoryEntry& listed : page.entries) {
    // What was learned before the session was lost is in the ledger once too often: a reference that lasts as long as
    // the session. It happens once in a session's loss at most.
    if (listed.entry && !nodes_.Learn(generation, *listed.entry, parent, listed.name)) return false;
  }
  return true;
}

void RemoteFileSystem::CloseDir(NodeId node, DirCursor cursor) {
  v1::ReadDirRequest request;
  request.set_node(ToNumber(node));
  request.set_cursor(ToNumber(cursor));
  request.set_close(true);
  v1::ReadDirReply reply;
  // Nobody waits for it; an agent that does not hear of it drops the listing in time.
  (void)caller_.Call(Method::kReadDir, {}, request, reply, &Stub::ReadDir).status();
}

absl::StatusOr<FileSystemStatistics> RemoteFileSystem::StatFs(const CallContext& context, NodeId node) {
  v1::StatFsRequest request;
  request.set_node(ToNumber(node));
  v1::StatFsReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kStatFs, context, request, reply, &Stub::StatFs).status());
  return caller_.Checked(Method::kStatFs, Unpack(reply));
}

}  // namespace mirrorfs
