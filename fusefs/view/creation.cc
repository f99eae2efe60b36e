// Mknod, Mkdir, Symlink, Link.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fusefs/view/layer_copy.h"
#include "fusefs/view/view_file_system_impl.h"
#include "protos/layer/file_tree.h"

namespace mirrorfs {

absl::StatusOr<ViewFileSystemImpl::NewPlace> ViewFileSystemImpl::PrepareNew(const CallContext& context, Place place,
                                                                            const NewNode& where,
                                                                            std::optional<FileType> type) {
  NewPlace made;
  made.is_link = !type;
  ASSIGN_OR_RETURN(made.side, SideOfWrites(place.decision));
  made.place = std::move(place);
  made.permissions = where.permissions;
  made.umask = where.umask;
  if (made.side != Side::kLayer) {
    ASSIGN_OR_RETURN(made.inner, InnerPlaceOf(context, made.side, made.place));
    return made;
  }
  ASSIGN_OR_RETURN(made.changing, made.place.parent->changing().Enter(context.stop));
  RETURN_IF_ERROR(PrepareNewInLayer(context, type, made));
  return made;
}

absl::Status ViewFileSystemImpl::PrepareNewInLayer(const CallContext& context, std::optional<FileType> type,
                                                   NewPlace& made) {
  const Place& place = made.place;
  RETURN_IF_ERROR(CheckSearch(context, place.parent));
  ASSIGN_OR_RETURN(const InLayer in_layer, LookupInLayer(context, place));
  if (in_layer.state == InLayer::State::kPresent) {
    nodes_.GiveBack(Side::kLayer, in_layer.entry.node);
    return ErrnoStatus(EEXIST);
  }
  made.hidden = in_layer.state == InLayer::State::kHidden;
  if (!made.hidden) {
    const absl::Status there = LookupOnSides(context, place).status();
    if (there.ok()) return ErrnoStatus(EEXIST);
    if (ToErrno(there) != ENOENT) return there;
  }
  if (RecordsOwners()) RETURN_IF_ERROR(CheckMayAdd(context, place.parent));
  ASSIGN_OR_RETURN(made.inner.parent, EnsureLayerDirectory(context, place.parent));
  made.inner.name = place.name;
  if (type) {
    made.record.from = MappedAway(place);
    made.record.mapped = made.record.from.has_value();
    RETURN_IF_ERROR(RecordNewOwner(context, *type, made));
    if (made.hidden) made.record.base = in_layer.record.base;
    if (made.hidden) made.record.opaque = type == FileType::kDirectory;
  }
  return made.hidden || !made.record.Empty() ? MakeStage(context, made) : absl::OkStatus();
}

// What cannot be made in one step in its directory is made in a directory of the layer's work that is like it: who
// owns what is made there, what is inherited, who may do it, is the same.
absl::Status ViewFileSystemImpl::MakeStage(const CallContext& context, NewPlace& made) {
  const Layer& layer = *options_.layer;
  const std::string name = layer.NextWorkName();
  if (::mkdirat(layer.work(), name.c_str(), 0700) != 0) return LastErrno("layer");
  absl::Cleanup clean_up = [&] { ::unlinkat(layer.work(), name.c_str(), AT_REMOVEDIR); };
  ASSIGN_OR_RETURN(made.stage, layer.OpenName(layer.work(), name));
  UniqueFd parent;
  {
    MutexLock lock(placing_);
    ASSIGN_OR_RETURN(parent, OpenLayerParent(*made.place.parent));
  }
  RETURN_IF_ERROR(CopyRights(parent.get(), made.stage.get(), layer));
  ASSIGN_OR_RETURN(const Entry entry, On(Side::kLayer).Lookup(AsDaemon(context), layer_work_, name));
  made.inner.parent = entry.node;
  made.inner.walked = true;
  made.stage_name = name;
  std::move(clean_up).Cancel();
  return absl::OkStatus();
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

void ViewFileSystemImpl::EndNew(const NewPlace& made) {
  EndWalk(made.side, made.inner);
  if (made.stage) static_cast<void>(RemoveRecursively(options_.layer->work(), made.stage_name));
}

absl::StatusOr<ViewFileSystemImpl::Found> ViewFileSystemImpl::AdmitNew(const CallContext& context, const NewPlace& made,
                                                                       Entry entry, NodeId proposed) {
  if (made.side != Side::kLayer) return Admit(context, made.place, made.side, std::move(entry), proposed);
  if (made.stage) {
    const absl::Status placed = PlaceFromStage(context, made);
    if (!placed.ok()) nodes_.GiveBack(Side::kLayer, entry.node);
    RETURN_IF_ERROR(placed);
    const NodeId parent = made.place.parent->On(Side::kLayer).node;  // not the stage
    const auto told = On(Side::kLayer).GetAttr(AsDaemon(context), {.node = parent});
    entry.directory = told.ok() ? std::make_shared<const Attributes>(told->attributes) : nullptr;
  }
  return AdmitFromLayer(made.place, {InLayer::State::kPresent, std::move(entry), made.record}, proposed);
}

absl::Status ViewFileSystemImpl::PlaceFromStage(const CallContext& context, const NewPlace& made) {
  const Place& place = made.place;
  ASSIGN_OR_RETURN(const UniqueFd file, options_.layer->OpenName(made.stage.get(), place.name));
  if (!made.is_link) RETURN_IF_ERROR(options_.layer->WriteRecord(file.get(), made.record));
  MutexLock lock(placing_);
  ASSIGN_OR_RETURN(const UniqueFd parent, OpenLayerParent(*place.parent));
  // A place holder goes to the stage.
  const uint32_t mode = made.hidden ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  if (::renameat2(made.stage.get(), place.name.c_str(), parent.get(), place.name.c_str(), mode) != 0) {
    return LastErrno("layer");
  }
  return NoteLayerName(context, place);
}

absl::StatusOr<Entry> ViewFileSystemImpl::FinishNew(const CallContext& context, const NewPlace& made,
                                                    absl::StatusOr<Entry> entry, NodeId proposed) {
  const absl::Cleanup end = [&] { EndNew(made); };
  RETURN_IF_ERROR(entry.status());
  ASSIGN_OR_RETURN(Found found, AdmitNew(context, made, *std::move(entry), proposed));
  return GiveOut(std::move(found));
}

absl::StatusOr<Entry> ViewFileSystemImpl::Mknod(const CallContext& context, const NewNode& where, FileType type,
                                                uint32_t rdev_major, uint32_t rdev_minor) {
  ASSIGN_OR_RETURN(Place place, FindPlace(where.parent, where.name));
  ASSIGN_OR_RETURN(const NewPlace made, PrepareNew(context, std::move(place), where, type));
  return FinishNew(context, made, On(made.side).Mknod(context, made.ForSide(), type, rdev_major, rdev_minor),
                   where.proposed);
}

absl::StatusOr<Entry> ViewFileSystemImpl::Mkdir(const CallContext& context, const NewNode& where) {
  ASSIGN_OR_RETURN(Place place, FindPlace(where.parent, where.name));
  ASSIGN_OR_RETURN(const NewPlace made, PrepareNew(context, std::move(place), where, FileType::kDirectory));
  return FinishNew(context, made, On(made.side).Mkdir(context, made.ForSide()), where.proposed);
}

absl::StatusOr<Entry> ViewFileSystemImpl::Symlink(const CallContext& context, const NewNode& where,
                                                  std::string_view target) {
  ASSIGN_OR_RETURN(Place place, FindPlace(where.parent, where.name));
  ASSIGN_OR_RETURN(const NewPlace made, PrepareNew(context, std::move(place), where, FileType::kSymlink));
  return FinishNew(context, made, On(made.side).Symlink(context, made.ForSide(), target), where.proposed);
}

absl::StatusOr<Entry> ViewFileSystemImpl::Link(const CallContext& context, NodeId node, NodeId new_parent,
                                               std::string_view new_name) {
  ASSIGN_OR_RETURN(const ViewNodePtr source, FindNode(node));
  ASSIGN_OR_RETURN(Place place, FindPlace(new_parent, new_name));
  if (source->IsDirectory()) return ErrnoStatus(EPERM);
  if (!source->decision().SameOutcome(place.decision)) {
    return ErrnoStatus(LookupChild(context, place).ok() ? EEXIST : EXDEV);
  }
  ASSIGN_OR_RETURN(NewPlace made, PrepareNew(context, std::move(place), {}, std::nullopt));
  return FinishNew(context, made, LinkIn(context, source, made), NodeId::kInvalid);
}

absl::StatusOr<Entry> ViewFileSystemImpl::LinkIn(const CallContext& context, const ViewNodePtr& source,
                                                 NewPlace& made) {
  NodeId inner = source->On(made.side).node;
  if (made.side == Side::kLayer) {
    ASSIGN_OR_RETURN(inner, CopyUp(context, source));
    made.record = source->Record();  // the record is the file's, whatever its name
  } else if (source->On(made.side).state != Counterpart::State::kPresent) {
    return ErrnoStatus(EXDEV);
  }
  return On(made.side).Link(context, inner, made.inner.parent, made.inner.name);
}

}  // namespace mirrorfs
