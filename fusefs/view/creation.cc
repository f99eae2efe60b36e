// Mknod, Mkdir, Symlink, Link.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fusefs/view/layer_copy.h"
#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {

absl::StatusOr<ViewFileSystemImpl::NewPlace> ViewFileSystemImpl::PrepareNew(const CallContext& context,
                                                                            const NewNode& where, FileType type) {
  NewPlace made;
  ASSIGN_OR_RETURN(made.place, FindPlace(where.parent, where.name));
  made.permissions = where.permissions;
  made.umask = where.umask;
  switch (made.place.decision.writes) {
    case WritesGo::kNowhere:
      return ErrnoStatus(ENOENT, "the path is hidden");
    case WritesGo::kLayer:
      RETURN_IF_ERROR(PrepareNewInLayer(context, type, made));
      return made;
    case WritesGo::kContainer:
      made.side = Side::kContainer;
      break;
    case WritesGo::kLocal:
      made.side = Side::kLocal;
      break;
  }
  ASSIGN_OR_RETURN(made.inner, InnerPlaceOf(context, made.side, made.place));
  return made;
}

absl::Status ViewFileSystemImpl::PrepareNewInLayer(const CallContext& context, FileType type, NewPlace& made) {
  if (!Has(Side::kLayer)) return ErrnoStatus(EROFS);
  made.side = Side::kLayer;
  const Place& place = made.place;
  ASSIGN_OR_RETURN(made.changing, place.parent->changing().Enter(context.stop));
  const absl::StatusOr<Found> there = LookupChild(context, place);
  if (there.ok()) return ErrnoStatus(EEXIST);
  if (ToErrno(there.status()) != ENOENT) return there.status();
  if (RecordsOwners()) RETURN_IF_ERROR(CheckMayAdd(context, place.parent));
  ASSIGN_OR_RETURN(made.inner.parent, EnsureLayerDirectory(context, place.parent));
  made.inner.name = place.name;
  made.record.from = MappedAway(place);
  made.record.mapped = made.record.from.has_value();
  RETURN_IF_ERROR(RecordNewOwner(context, type, made));
  ASSIGN_OR_RETURN(const InLayer in_layer, LookupInLayer(AsDaemon(context), place));
  if (in_layer.state != InLayer::State::kHidden) return absl::OkStatus();
  if (!RecordsOwners()) {
    RETURN_IF_ERROR(On(Side::kLayer).Access(context, made.inner.parent, {.write = true, .execute = true}));
  }
  made.was_hidden = true;
  made.record.base = in_layer.record.base;
  made.record.opaque = type == FileType::kDirectory;
  MutexLock lock(placing_);
  ASSIGN_OR_RETURN(const UniqueFd parent, OpenLayerParent(*place.parent));
  return ErrnoStatus(::unlinkat(parent.get(), place.name.c_str(), 0) == 0 ? 0 : errno);
}

absl::Status ViewFileSystemImpl::RecordNewOwner(const CallContext& context, FileType type, NewPlace& made) {
  if (!RecordsOwners()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Attributes directory, AttributesOf(context, *made.place.parent, HandleId::kNone));
  const LayerInfo& info = options_.layer->info();
  const Caller caller = options_.acting_as.value_or(Caller{info.shown_uid, info.shown_gid, {}});
  LayerOwner owner{caller.uid, caller.gid, made.permissions & ~made.umask};
  if ((directory.permissions & 02000) != 0) {
    owner.gid = directory.gid;
    if (type == FileType::kDirectory) owner.permissions |= 02000;
  }
  made.permissions = PermissionsOnDisk(type, owner.permissions, *options_.layer);
  made.umask = 0;
  const bool same = owner.uid == info.shown_uid && owner.gid == info.shown_gid && made.permissions == owner.permissions;
  if (!same && type != FileType::kSymlink) made.record.owner = owner;
  return absl::OkStatus();
}

absl::Status ViewFileSystemImpl::UndoNew(const NewPlace& made, const absl::Status& why) {
  EndWalk(made.side, made.inner);
  if (!made.was_hidden) return why;
  MutexLock lock(placing_);
  const absl::StatusOr<UniqueFd> parent = OpenLayerParent(*made.place.parent);
  if (parent.ok()) {
    static_cast<void>(options_.layer->PlaceWhiteout(parent->get(), made.place.name, made.record));
  }
  return why;
}

absl::StatusOr<ViewFileSystemImpl::Found> ViewFileSystemImpl::AdmitNew(const CallContext& context, NewPlace& made,
                                                                       Entry entry, NodeId proposed) {
  if (made.side != Side::kLayer) {
    EndWalk(made.side, made.inner);
    return Admit(context, made.place, made.side, std::move(entry), proposed);
  }
  if (!made.record.Empty()) {
    const absl::Status written = WriteRecordAt(made.place.path, made.record);
    if (!written.ok()) nodes_.GiveBack(Side::kLayer, entry.node);
    RETURN_IF_ERROR(written);
  }
  return AdmitFromLayer(context, made.place, {InLayer::State::kPresent, std::move(entry), made.record}, proposed);
}

absl::StatusOr<Entry> ViewFileSystemImpl::FinishNew(const CallContext& context, NewPlace& made,
                                                    absl::StatusOr<Entry> entry, NodeId proposed) {
  if (!entry.ok()) return UndoNew(made, entry.status());
  ASSIGN_OR_RETURN(Found found, AdmitNew(context, made, *std::move(entry), proposed));
  return GiveOut(std::move(found));
}

absl::StatusOr<Entry> ViewFileSystemImpl::Mknod(const CallContext& context, const NewNode& where, FileType type,
                                                uint32_t rdev_major, uint32_t rdev_minor) {
  ASSIGN_OR_RETURN(NewPlace made, PrepareNew(context, where, type));
  return FinishNew(context, made, On(made.side).Mknod(context, made.ForSide(), type, rdev_major, rdev_minor),
                   where.proposed);
}

absl::StatusOr<Entry> ViewFileSystemImpl::Mkdir(const CallContext& context, const NewNode& where) {
  ASSIGN_OR_RETURN(NewPlace made, PrepareNew(context, where, FileType::kDirectory));
  return FinishNew(context, made, On(made.side).Mkdir(context, made.ForSide()), where.proposed);
}

absl::StatusOr<Entry> ViewFileSystemImpl::Symlink(const CallContext& context, const NewNode& where,
                                                  std::string_view target) {
  ASSIGN_OR_RETURN(NewPlace made, PrepareNew(context, where, FileType::kSymlink));
  return FinishNew(context, made, On(made.side).Symlink(context, made.ForSide(), target), where.proposed);
}

absl::StatusOr<Entry> ViewFileSystemImpl::Link(const CallContext& context, NodeId node, NodeId new_parent,
                                               std::string_view new_name) {
  ASSIGN_OR_RETURN(const ViewNodePtr source, FindNode(node));
  ASSIGN_OR_RETURN(const Place place, FindPlace(new_parent, new_name));
  if (source->IsDirectory()) return ErrnoStatus(EPERM);
  if (!source->decision().SameOutcome(place.decision)) {
    return ErrnoStatus(LookupChild(context, place).ok() ? EEXIST : EXDEV);
  }
  ASSIGN_OR_RETURN(NewPlace made, PrepareNew(context, {.parent = new_parent, .name = new_name}, source->type()));
  if (made.side != Side::kLayer) {
    const Counterpart inner = source->On(made.side);
    if (inner.state != Counterpart::State::kPresent) return UndoNew(made, ErrnoStatus(EXDEV));
    return FinishNew(context, made, On(made.side).Link(context, inner.node, made.inner.parent, made.inner.name),
                     NodeId::kInvalid);
  }
  const absl::StatusOr<NodeId> inner = CopyUp(context, source);
  if (!inner.ok()) return UndoNew(made, inner.status());
  absl::StatusOr<Entry> entry = On(Side::kLayer).Link(context, *inner, made.inner.parent, made.inner.name);
  if (!entry.ok()) return UndoNew(made, entry.status());
  // The record is the file's, whatever its name.
  ASSIGN_OR_RETURN(Found found,
                   AdmitFromLayer(context, place, {InLayer::State::kPresent, *std::move(entry), source->Record()}));
  return GiveOut(std::move(found));
}

}  // namespace mirrorfs
