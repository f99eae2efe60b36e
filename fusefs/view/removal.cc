// Unlink, Rmdir.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"
#include "protos/layer/file_tree.h"

namespace mirrorfs {

absl::StatusOr<Removed> ViewFileSystemImpl::Unlink(const CallContext& context, NodeId parent, std::string_view name) {
  ASSIGN_OR_RETURN(const Place place, FindPlace(parent, name));
  switch (place.decision.writes) {
    case WritesGo::kNowhere:
      return ErrnoStatus(ENOENT, "the path is hidden");
    case WritesGo::kLayer:
      if (!Has(Side::kLayer)) return ErrnoStatus(EROFS);
      RETURN_IF_ERROR(UnlinkInLayer(context, place));
      return Removed{};
    case WritesGo::kContainer:
      return RemoveOnSide(context, Side::kContainer, place, /*directory=*/false);
    case WritesGo::kLocal:
      return RemoveOnSide(context, Side::kLocal, place, /*directory=*/false);
  }
  return ErrnoStatus(EINVAL);
}

absl::StatusOr<Removed> ViewFileSystemImpl::Rmdir(const CallContext& context, NodeId parent, std::string_view name) {
  ASSIGN_OR_RETURN(const Place place, FindPlace(parent, name));
  switch (place.decision.writes) {
    case WritesGo::kNowhere:
      return ErrnoStatus(ENOENT, "the path is hidden");
    case WritesGo::kLayer:
      if (!Has(Side::kLayer)) return ErrnoStatus(EROFS);
      RETURN_IF_ERROR(RmdirInLayer(context, place));
      return Removed{};
    case WritesGo::kContainer:
      return RemoveOnSide(context, Side::kContainer, place, /*directory=*/true);
    case WritesGo::kLocal:
      return RemoveOnSide(context, Side::kLocal, place, /*directory=*/true);
  }
  return ErrnoStatus(EINVAL);
}

absl::StatusOr<Removed> ViewFileSystemImpl::RemoveOnSide(const CallContext& context, Side side, const Place& place,
                                                         bool directory) {
  const ViewNodePtr victim = nodes_.Under(place.parent, place.name);
  // What another side shows in it is not this side's to remove.
  if (directory && options_.policy.MayDifferBelow(place.path)) {
    const absl::StatusOr<Found> found = LookupChild(context, place);
    if (found.ok() && found->node->IsDirectory()) RETURN_IF_ERROR(CheckEmpty(context, found->node));
  }
  ASSIGN_OR_RETURN(const InnerPlace inner, InnerPlaceOf(context, side, place));
  absl::StatusOr<Removed> removed = directory ? On(side).Rmdir(context, inner.parent, inner.name)
                                              : On(side).Unlink(context, inner.parent, inner.name);
  EndWalk(side, inner);
  RETURN_IF_ERROR(removed.status());
  if (victim != nullptr) nodes_.RemoveName(victim, place.parent, place.name);
  removed->directory = inner.walked ? std::nullopt : ShownAfterwards(*place.parent, side, removed->directory);
  return removed;
}

absl::StatusOr<std::optional<Attributes>> ViewFileSystemImpl::Covered(const CallContext& context, const Place& place,
                                                                      const Found& found) {
  if (found.side == Side::kContainer) return found.entry.attributes;
  return ContainerHas(context, place);
}

absl::Status ViewFileSystemImpl::CheckRemoval(const CallContext& context, const Place& place, const Found& victim) {
  RETURN_IF_ERROR(CheckMayRemove(context, place.parent, victim.entry.attributes));
  ASSIGN_OR_RETURN(const NodeId parent, EnsureLayerDirectory(context, place.parent));
  if (RecordsOwners()) return absl::OkStatus();
  return On(Side::kLayer).Access(context, parent, {.write = true, .execute = true});
}

absl::Status ViewFileSystemImpl::UnlinkInLayer(const CallContext& context, const Place& place) {
  ASSIGN_OR_RETURN(const Gate::Pass changing, place.parent->changing().Enter(context.stop));
  ASSIGN_OR_RETURN(const Found found, LookupChild(context, place));
  if (found.node->IsDirectory()) return ErrnoStatus(EISDIR);
  ASSIGN_OR_RETURN(const Gate::Pass copying, found.node->copying().Enter(context.stop));
  ASSIGN_OR_RETURN(const std::optional<Attributes> covered, Covered(context, place, found));
  if (found.side == Side::kLayer && !covered) {
    if (RecordsOwners()) RETURN_IF_ERROR(CheckRemoval(context, place, found));
    ASSIGN_OR_RETURN(const NodeId parent, InnerOf(context, place.parent, Side::kLayer));
    RETURN_IF_ERROR(On(Side::kLayer).Unlink(context, parent, place.name).status());
  } else {
    RETURN_IF_ERROR(CheckRemoval(context, place, found));
    RETURN_IF_ERROR(HideName(place, covered));
    if (found.side != Side::kLayer) found.node->CountHiddenName();
  }
  nodes_.RemoveName(found.node, place.parent, place.name);
  return absl::OkStatus();
}

absl::StatusOr<ViewFileSystemImpl::BothPasses> ViewFileSystemImpl::EnterBoth(ViewNode& one, ViewNode& other,
                                                                             const std::stop_token& stop) {
  BothPasses passes;
  ViewNode& first = one.id() < other.id() ? one : other;
  ViewNode& second = one.id() < other.id() ? other : one;
  ASSIGN_OR_RETURN(passes.first, first.changing().Enter(stop));
  if (&first == &second) return passes;
  ASSIGN_OR_RETURN(passes.second, second.changing().Enter(stop));
  return passes;
}

absl::Status ViewFileSystemImpl::RmdirInLayer(const CallContext& context, const Place& place) {
  ASSIGN_OR_RETURN(const Found before, LookupChild(context, place));
  if (!before.node->IsDirectory()) return ErrnoStatus(ENOTDIR);
  ASSIGN_OR_RETURN(const BothPasses passes, EnterBoth(*place.parent, *before.node, context.stop));
  ASSIGN_OR_RETURN(const Found found, LookupChild(context, place));
  if (found.node != before.node) return ErrnoStatus(ENOENT);  // somebody was faster
  RETURN_IF_ERROR(CheckEmpty(context, found.node));
  ASSIGN_OR_RETURN(const std::optional<Attributes> covered, Covered(context, place, found));
  if (covered || found.side != Side::kLayer || RecordsOwners()) RETURN_IF_ERROR(CheckRemoval(context, place, found));
  if (found.side == Side::kLayer) {
    RETURN_IF_ERROR(RemoveLayerDirectory(context, place, covered));
  } else {
    RETURN_IF_ERROR(HideName(place, covered));
  }
  nodes_.RemoveName(found.node, place.parent, place.name);
  return absl::OkStatus();
}

// All that is left in it are place holders.
absl::Status ViewFileSystemImpl::RemoveLayerDirectory(const CallContext& context, const Place& place,
                                                      const std::optional<Attributes>& covered) {
  const Layer& layer = *options_.layer;
  if (!covered) {
    {
      MutexLock lock(placing_);
      ASSIGN_OR_RETURN(const UniqueFd directory, layer.OpenPath(TreePath(place.path)));
      RETURN_IF_ERROR(EmptyDirectory(directory.get()));
    }
    ASSIGN_OR_RETURN(const NodeId parent, InnerOf(context, place.parent, Side::kLayer));
    return On(Side::kLayer).Rmdir(context, parent, place.name).status();
  }
  const std::string work_name = layer.NextWorkName();
  LayerRecord record;
  record.base = MakeLayerBase(*covered);
  RETURN_IF_ERROR(layer.PlaceWhiteout(layer.work(), work_name, record));
  {
    MutexLock lock(placing_);
    ASSIGN_OR_RETURN(const UniqueFd parent, OpenLayerParent(*place.parent));
    if (::renameat2(layer.work(), work_name.c_str(), parent.get(), place.name.c_str(), RENAME_EXCHANGE) != 0) {
      return LastErrno("rmdir in the layer");
    }
  }
  return RemoveRecursively(layer.work(), work_name);
}

}  // namespace mirrorfs
