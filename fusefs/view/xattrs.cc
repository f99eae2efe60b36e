// Extended attributes.
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {

// The layer's records are not the program's.
bool ViewFileSystemImpl::IsOwnXattr(std::string_view name) const {
  return options_.layer != nullptr && name == options_.layer->record_name();
}

absl::StatusOr<std::string> ViewFileSystemImpl::GetXattr(const CallContext& context, NodeId node,
                                                         std::string_view name) {
  ASSIGN_OR_RETURN(const ViewNodePtr found, FindNode(node));
  ASSIGN_OR_RETURN(const Inner inner, ServingInner(*found));
  if (IsOwnXattr(name) && inner.side == Side::kLayer) return ErrnoStatus(ENODATA);
  if (inner.side == Side::kLayer && RecordsOwners()) RETURN_IF_ERROR(CheckAccess(context, found, {.read = true}));
  return inner.files->GetXattr(context, inner.node, name);
}

absl::Status ViewFileSystemImpl::SetXattr(const CallContext& context, NodeId node, std::string_view name,
                                          std::string_view value, XattrMode mode) {
  ASSIGN_OR_RETURN(const ViewNodePtr found, FindNode(node));
  if (IsOwnXattr(name) && found->WritesGoToLayer()) return ErrnoStatus(EPERM);
  RETURN_IF_ERROR(CheckSetXattr(context, found, name));
  ASSIGN_OR_RETURN(const Inner inner, PrepareChange(context, found));
  return inner.files->SetXattr(context, inner.node, name, value, mode);
}

absl::StatusOr<std::vector<std::string>> ViewFileSystemImpl::ListXattr(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const ViewNodePtr found, FindNode(node));
  ASSIGN_OR_RETURN(const Inner inner, ServingInner(*found));
  ASSIGN_OR_RETURN(std::vector<std::string> names, inner.files->ListXattr(context, inner.node));
  if (inner.side == Side::kLayer) std::erase_if(names, [this](const std::string& name) { return IsOwnXattr(name); });
  return names;
}

absl::Status ViewFileSystemImpl::RemoveXattr(const CallContext& context, NodeId node, std::string_view name) {
  ASSIGN_OR_RETURN(const ViewNodePtr found, FindNode(node));
  if (IsOwnXattr(name) && found->WritesGoToLayer()) return ErrnoStatus(ENODATA);
  RETURN_IF_ERROR(CheckSetXattr(context, found, name));
  if (found->WritesGoToLayer() && found->Serving() != Side::kLayer) {
    // Nothing to remove is no reason to copy.
    const bool of_users = name.starts_with("user.") && found->type() != FileType::kRegular && !found->IsDirectory();
    if (of_users) return ErrnoStatus(EPERM);
    ASSIGN_OR_RETURN(const Inner serving, ServingInner(*found));
    RETURN_IF_ERROR(serving.files->GetXattr(context, serving.node, name).status());
  }
  ASSIGN_OR_RETURN(const Inner inner, PrepareChange(context, found));
  return inner.files->RemoveXattr(context, inner.node, name);
}

}  // namespace mirrorfs
