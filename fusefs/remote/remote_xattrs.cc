// Extended attributes.
#include <utility>

#include "fusefs/remote/remote_file_system.h"
#include "protos/wire/check.h"
#include "protos/wire/convert_files.h"

namespace mirrorfs {
namespace {

using Stub = v1::FileSystem::Stub;

template <typename Request>
void SetAttribute(NodeId node, std::string_view name, Request& request) {
  request.set_node(ToNumber(node));
  request.set_name(std::string(name));
}

}  // namespace

absl::StatusOr<std::string> RemoteFileSystem::GetXattr(const CallContext& context, NodeId node, std::string_view name) {
  v1::GetXattrRequest request;
  SetAttribute(node, name, request);
  v1::GetXattrReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kGetXattr, context, request, reply, &Stub::GetXattr).status());
  if (reply.value().size() > kMaxXattrBytes) {
    return caller_.Lie(Method::kGetXattr, absl::InternalError("an overlong extended attribute"));
  }
  return std::move(*reply.mutable_value());
}

absl::Status RemoteFileSystem::SetXattr(const CallContext& context, NodeId node, std::string_view name,
                                        std::string_view value, XattrMode mode) {
  v1::SetXattrRequest request;
  SetAttribute(node, name, request);
  request.set_value(std::string(value));
  request.set_mode(Pack(mode));
  v1::EmptyReply reply;
  return caller_.Call(Method::kSetXattr, context, request, reply, &Stub::SetXattr).status();
}

absl::StatusOr<std::vector<std::string>> RemoteFileSystem::ListXattr(const CallContext& context, NodeId node) {
  v1::ListXattrRequest request;
  request.set_node(ToNumber(node));
  v1::ListXattrReply reply;
  RETURN_IF_ERROR(caller_.Call(Method::kListXattr, context, request, reply, &Stub::ListXattr).status());
  size_t bytes = 0;
  for (const std::string& name : reply.names()) {
    bytes += name.size() + 1;
    if (!CheckXattrName(name).ok() || bytes > kMaxXattrBytes) {
      return caller_.Lie(Method::kListXattr, absl::InternalError("an impossible list of extended attributes"));
    }
  }
  return std::vector<std::string>(reply.names().begin(), reply.names().end());
}

absl::Status RemoteFileSystem::RemoveXattr(const CallContext& context, NodeId node, std::string_view name) {
  v1::RemoveXattrRequest request;
  SetAttribute(node, name, request);
  v1::EmptyReply reply;
  return caller_.Call(Method::kRemoveXattr, context, request, reply, &Stub::RemoveXattr).status();
}

}  // namespace mirrorfs
