// Names, attributes, extended attributes.
#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "agent/service/handlers.h"
#include "protos/wire/check.h"
#include "protos/wire/convert_attributes.h"
#include "protos/wire/convert_files.h"

namespace mirrorfs::handlers {
namespace {

template <typename Request>
NodeOrHandle FileOf(const Request& request) {
  return {NodeId{request.node()}, HandleId{request.handle()}};
}

}  // namespace

absl::Status Lookup(Session& session, const CallContext& context, const v1::LookupRequest& request,
                    v1::EntryReply& reply) {
  RETURN_IF_ERROR(CheckName(request.name()));
  ASSIGN_OR_RETURN(const Entry entry, session.Files().Lookup(context, NodeId{request.parent()}, request.name()));
  Pack(entry, *reply.mutable_entry());
  return absl::OkStatus();
}

absl::Status GetAttr(Session& session, const CallContext& context, const v1::GetAttrRequest& request,
                     v1::AttrReply& reply) {
  ASSIGN_OR_RETURN(const AttributesReply got, session.Files().GetAttr(context, FileOf(request)));
  Pack(got, reply);
  return absl::OkStatus();
}

absl::Status SetAttr(Session& session, const CallContext& context, const v1::SetAttrRequest& request,
                     v1::AttrReply& reply) {
  ASSIGN_OR_RETURN(const AttributeChange change, Unpack(request));
  ASSIGN_OR_RETURN(const AttributesReply got, session.Files().SetAttr(context, FileOf(request), change));
  Pack(got, reply);
  return absl::OkStatus();
}

absl::Status Readlink(Session& session, const CallContext& context, const v1::ReadlinkRequest& request,
                      v1::ReadlinkReply& reply) {
  ASSIGN_OR_RETURN(std::string target, session.Files().Readlink(context, NodeId{request.node()}));
  reply.set_target(std::move(target));
  return absl::OkStatus();
}

absl::Status Access(Session& session, const CallContext& context, const v1::AccessRequest& request, v1::EmptyReply&) {
  const AccessMask mask{.read = request.read(), .write = request.write(), .execute = request.execute()};
  return session.Files().Access(context, NodeId{request.node()}, mask);
}

absl::Status ReadDir(Session& session, const CallContext& context, const v1::ReadDirRequest& request,
                     v1::ReadDirReply& reply) {
  const NodeId node{request.node()};
  const DirCursor cursor{request.cursor()};
  if (request.close()) {
    session.Files().CloseDir(node, cursor);
    return absl::OkStatus();
  }
  const uint32_t max_bytes = std::min(request.max_bytes(), session.Limits().max_page);
  ASSIGN_OR_RETURN(const DirectoryPage page,
                   session.Files().ReadDir(context, node, cursor, max_bytes, request.with_attributes()));
  Pack(page, reply);
  return absl::OkStatus();
}

absl::Status StatFs(Session& session, const CallContext& context, const v1::StatFsRequest& request,
                    v1::StatFsReply& reply) {
  ASSIGN_OR_RETURN(const FileSystemStatistics statistics, session.Files().StatFs(context, NodeId{request.node()}));
  Pack(statistics, reply);
  return absl::OkStatus();
}

absl::Status GetXattr(Session& session, const CallContext& context, const v1::GetXattrRequest& request,
                      v1::GetXattrReply& reply) {
  RETURN_IF_ERROR(CheckXattrName(request.name()));
  ASSIGN_OR_RETURN(std::string value, session.Files().GetXattr(context, NodeId{request.node()}, request.name()));
  reply.set_value(std::move(value));
  return absl::OkStatus();
}

absl::Status SetXattr(Session& session, const CallContext& context, const v1::SetXattrRequest& request,
                      v1::EmptyReply&) {
  RETURN_IF_ERROR(CheckXattrName(request.name()));
  if (request.value().size() > kMaxXattrBytes) return ErrnoStatus(E2BIG, "extended attribute");
  ASSIGN_OR_RETURN(const XattrMode mode, Unpack(request.mode()));
  return session.Files().SetXattr(context, NodeId{request.node()}, request.name(), request.value(), mode);
}

absl::Status ListXattr(Session& session, const CallContext& context, const v1::ListXattrRequest& request,
                       v1::ListXattrReply& reply) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, session.Files().ListXattr(context, NodeId{request.node()}));
  for (std::string& name : names) reply.add_names(std::move(name));
  return absl::OkStatus();
}

absl::Status RemoveXattr(Session& session, const CallContext& context, const v1::RemoveXattrRequest& request,
                         v1::EmptyReply&) {
  RETURN_IF_ERROR(CheckXattrName(request.name()));
  return session.Files().RemoveXattr(context, NodeId{request.node()}, request.name());
}

}  // namespace mirrorfs::handlers
