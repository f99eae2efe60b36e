// Rights to files of the layer, where neither the kernel nor the layer's file system checks them: of a daemon that is
// not root, all files there are its own.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kSticky = 01000;

bool IsMember(const Caller& caller, uint32_t gid) {
  return caller.gid == gid || std::find(caller.groups.begin(), caller.groups.end(), gid) != caller.groups.end();
}

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
  } else if (IsMember(caller, attributes.gid)) {
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

bool ViewFileSystemImpl::ChecksHere(const ViewNode& node) const {
  if (!ChecksRights() || !node.WritesGoToLayer() || !Has(Side::kLayer)) return false;
  return RecordsOwners() || node.Serving() != Side::kLayer;
}

absl::Status ViewFileSystemImpl::CheckSearch(const CallContext& context, const ViewNodePtr& directory) {
  const bool checked_here = RecordsOwners() && ChecksRights() && directory->Serving() == Side::kLayer;
  return checked_here ? CheckAccess(context, directory, {.execute = true}) : absl::OkStatus();
}

absl::Status ViewFileSystemImpl::CheckMayAdd(const CallContext& context, const ViewNodePtr& parent) {
  constexpr AccessMask kChange{.write = true, .execute = true};
  if (RecordsOwners()) RETURN_IF_ERROR(CheckAccess(context, parent, kChange));
  ASSIGN_OR_RETURN(const NodeId inner, EnsureLayerDirectory(context, parent));
  return RecordsOwners() ? absl::OkStatus() : On(Side::kLayer).Access(context, inner, kChange);
}

absl::Status ViewFileSystemImpl::CheckRemoval(const CallContext& context, const Place& place, const Found& victim) {
  RETURN_IF_ERROR(CheckMayAdd(context, place.parent));
  if (!ChecksRights()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Attributes directory, AttributesOf(context, *place.parent, HandleId::kNone));
  const uint32_t uid = options_.acting_as->uid;
  const bool foreign = uid != 0 && uid != victim.entry.attributes.uid && uid != directory.uid;
  return ErrnoStatus((directory.permissions & kSticky) != 0 && foreign ? EPERM : 0);
}

absl::Status ViewFileSystemImpl::CheckOwner(const Attributes& attributes) const {
  const bool may = !ChecksRights() || options_.acting_as->uid == 0 || options_.acting_as->uid == attributes.uid;
  return ErrnoStatus(may ? 0 : EPERM);
}

absl::Status ViewFileSystemImpl::CheckSetAttr(const CallContext& context, const ViewNodePtr& node,
                                              const AttributeChange& change, bool by_writer) {
  if (!ChecksHere(*node)) return absl::OkStatus();
  if (change.size && !by_writer) RETURN_IF_ERROR(CheckAccess(context, node, {.write = true}));
  const Caller& caller = *options_.acting_as;
  const bool sets_time = (change.atime && !change.atime->now) || (change.mtime && !change.mtime->now);
  const bool of_owner = change.permissions || change.uid || change.gid || sets_time;
  if (!of_owner && !change.atime && !change.mtime) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Attributes before, AttributesOf(context, *node, HandleId::kNone));
  if (of_owner) RETURN_IF_ERROR(CheckOwner(before));
  const bool may_touch = CheckOwner(before).ok() || Permitted(caller, before, {.write = true});
  if (!may_touch) return ErrnoStatus(EACCES);
  if (caller.uid == 0) return absl::OkStatus();
  const bool gives_away = (change.uid && *change.uid != before.uid) ||
                          (change.gid && *change.gid != before.gid && !IsMember(caller, *change.gid));
  return ErrnoStatus(gives_away ? EPERM : 0);
}

absl::Status ViewFileSystemImpl::CheckSetXattr(const CallContext& context, const ViewNodePtr& node,
                                               std::string_view name) {
  if (!ChecksHere(*node)) return absl::OkStatus();
  if (name.starts_with("user.")) {
    // As the kernel has it: only these have room for such.
    if (node->type() != FileType::kRegular && !node->IsDirectory()) return ErrnoStatus(EPERM);
    return CheckAccess(context, node, {.write = true});
  }
  ASSIGN_OR_RETURN(const Attributes attributes, AttributesOf(context, *node, HandleId::kNone));
  if (name.starts_with("system.")) return CheckOwner(attributes);
  return ErrnoStatus(options_.acting_as->uid == 0 ? 0 : EPERM);
}

// Size and times are the file's own, owner and permissions are recorded.
absl::StatusOr<AttributesReply> ViewFileSystemImpl::SetAttrInLayer(const CallContext& context, const ViewNodePtr& node,
                                                                   const NodeOrHandle& inner,
                                                                   const AttributeChange& change) {
  ASSIGN_OR_RETURN(const Attributes before, AttributesOf(context, *node, HandleId::kNone));
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
    ASSIGN_OR_RETURN(const Gate::Pass copying, node->copying().Enter(context.stop));
    RETURN_IF_ERROR(UpdateRecord(context, *node, [&](LayerRecord& record) {
      LayerOwner owner = record.owner.value_or(LayerOwner{before.uid, before.gid, before.permissions});
      owner = {change.uid.value_or(owner.uid), change.gid.value_or(owner.gid),
               change.permissions.value_or(owner.permissions)};
      const bool given = owner.uid != before.uid || owner.gid != before.gid;
      // As chown(2) has it; of a directory the bits mean something else.
      if (given && !change.permissions && before.type == FileType::kRegular) owner.permissions &= ~06000u;
      record.owner = owner;
    }));
  }
  ASSIGN_OR_RETURN(const Attributes after, AttributesOf(context, *node, inner.handle));
  return AttributesReply{after};
}

}  // namespace mirrorfs
