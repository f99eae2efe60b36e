// Rights to files of the layer, where neither the kernel nor the layer's file system checks them: of a daemon that is
// not root, all files there are its own.
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kSticky = 01000;

uint32_t BitsOf(const AccessMask& mask) { return (mask.read ? 4 : 0) | (mask.write ? 2 : 0) | (mask.execute ? 1 : 0); }

// The owner's, the group's or the others' permissions, as path_resolution(7) has it. Access lists are not looked at.
bool Permitted(const Caller& caller, const Attributes& attributes, const AccessMask& mask) {
  const uint32_t wanted = BitsOf(mask);
  if (caller.uid == 0) {
    return !mask.execute || attributes.type == FileType::kDirectory || (attributes.permissions & 0111) != 0;
  }
  uint32_t granted = attributes.permissions & 7;
  if (attributes.uid == caller.uid) {
    granted = attributes.permissions >> 6 & 7;
  } else if (attributes.gid == caller.gid) {
    granted = attributes.permissions >> 3 & 7;
  }
  return (granted & wanted) == wanted;
}

}  // namespace

absl::Status ViewFileSystemImpl::CheckAccess(const CallContext& context, const ViewNodePtr& node, AccessMask mask) {
  if (!ChecksRights()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Attributes attributes, AttributesOf(context, *node, HandleId::kNone));
  return ErrnoStatus(Permitted(*options_.acting_as, attributes, mask) ? 0 : EACCES);
}

absl::Status ViewFileSystemImpl::CheckSearch(const CallContext& context, const ViewNodePtr& directory) {
  const bool checked_here = RecordsOwners() && ChecksRights() && directory->Serving() == Side::kLayer;
  return checked_here ? CheckAccess(context, directory, {.execute = true}) : absl::OkStatus();
}

absl::Status ViewFileSystemImpl::CheckMayAdd(const CallContext& context, const ViewNodePtr& parent) {
  return CheckAccess(context, parent, {.write = true, .execute = true});
}

absl::Status ViewFileSystemImpl::CheckMayRemove(const CallContext& context, const ViewNodePtr& parent,
                                                const Attributes& victim) {
  if (!ChecksRights()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckMayAdd(context, parent));
  ASSIGN_OR_RETURN(const Attributes directory, AttributesOf(context, *parent, HandleId::kNone));
  const uint32_t uid = options_.acting_as->uid;
  const bool foreign = uid != 0 && uid != victim.uid && uid != directory.uid;
  return ErrnoStatus((directory.permissions & kSticky) != 0 && foreign ? EPERM : 0);
}

absl::Status ViewFileSystemImpl::CheckOwner(const Attributes& attributes) const {
  const bool may = !ChecksRights() || options_.acting_as->uid == 0 || options_.acting_as->uid == attributes.uid;
  return ErrnoStatus(may ? 0 : EPERM);
}

// Size and times are the file's own, owner and permissions are recorded.
absl::StatusOr<AttributesReply> ViewFileSystemImpl::SetAttrInLayer(const CallContext& context, const ViewNodePtr& node,
                                                                   const NodeOrHandle& inner,
                                                                   const AttributeChange& change) {
  ASSIGN_OR_RETURN(const Attributes before, AttributesOf(context, *node, HandleId::kNone));
  const bool sets_time = (change.atime && !change.atime->now) || (change.mtime && !change.mtime->now);
  if (change.permissions || change.uid || change.gid || sets_time) RETURN_IF_ERROR(CheckOwner(before));
  const bool gives_away = (change.uid && *change.uid != before.uid) || (change.gid && *change.gid != before.gid);
  if (gives_away && ChecksRights() && options_.acting_as->uid != 0) return ErrnoStatus(EPERM);
  if (change.permissions && before.type == FileType::kSymlink) return ErrnoStatus(EOPNOTSUPP);
  AttributeChange own = change;
  const bool recorded = before.type == FileType::kRegular || before.type == FileType::kDirectory;
  if (recorded) own.permissions.reset();
  own.uid.reset();
  own.gid.reset();
  if (own.size || own.atime || own.mtime || own.permissions) {
    RETURN_IF_ERROR(On(Side::kLayer).SetAttr(AsDaemon(context), inner, own).status());
  }
  if (recorded && (change.permissions || change.uid || change.gid)) {
    LayerRecord record = node->Record();
    record.owner = LayerOwner{change.uid.value_or(before.uid), change.gid.value_or(before.gid),
                              change.permissions.value_or(before.permissions)};
    if (gives_away && !change.permissions) record.owner->permissions &= ~06000u;
    if (node->LatestName()) {
      ASSIGN_OR_RETURN(const std::string path, PathOf(*node));
      RETURN_IF_ERROR(WriteRecordAt(path, record));
    }
    node->SetRecord(record);
  }
  ASSIGN_OR_RETURN(const Attributes after, AttributesOf(context, *node, inner.handle));
  return AttributesReply{after};
}

}  // namespace mirrorfs
