// Unlink, Rmdir.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"
#include "protos/layer/file_tree.h"

namespace mirrorfs {

absl::StatusOr<Removed> ViewFileSystemImpl::Unlink(const CallContext& context, NodeId parent, std::string_view name) {
  return Remove(context, parent, name, /*directory=*/false);
}

absl::StatusOr<Removed> ViewFileSystemImpl::Rmdir(const CallContext& context, NodeId parent, std::string_view name) {
  return Remove(context, parent, name, /*directory=*/true);
}

absl::StatusOr<Removed> ViewFileSystemImpl::Remove(const CallContext& context, NodeId parent, std::string_view name,
                                                   bool directory) {
  ASSIGN_OR_RETURN(const Place place, FindPlace(parent, name));
  ASSIGN_OR_RETURN(const Side side, SideOfWrites(place.decision));
  if (side != Side::kLayer) return RemoveOnSide(context, side, place, directory);
  RETURN_IF_ERROR(directory ? RmdirInLayer(context, place) : UnlinkInLayer(context, place));
  return Removed{.directory = LayerTells(context, *place.parent)};
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
  // Another name of a file that was copied shows the copy.
  const bool is_containers = found.side == Side::kContainer && found.node->Serving() == Side::kContainer;
  if (is_containers) return found.entry.attributes;
  return ContainerHas(context, place);
}

absl::StatusOr<ViewFileSystemImpl::Sight> ViewFileSystemImpl::LookAt(const CallContext& context, const Place& place) {
  RETURN_IF_ERROR(CheckSearch(context, place.parent));
  ASSIGN_OR_RETURN(InLayer in_layer, LookupInLayer(context, place));
  const bool hidden = in_layer.state == InLayer::State::kHidden;
  absl::StatusOr<Found> found = ErrnoStatus(ENOENT);
  if (in_layer.state == InLayer::State::kPresent) {
    found = AdmitFromLayer(place, std::move(in_layer));
  } else if (!hidden) {
    found = LookupOnSides(context, place);
  }
  Sight sight;
  if (found.ok()) {
    ASSIGN_OR_RETURN(sight.covered, Covered(context, place, *found));
    sight.found = *std::move(found);
    return sight;
  }
  if (ToErrno(found.status()) != ENOENT) return found.status();
  // The container has just told that it has nothing, if it was the one to be asked.
  if (hidden || place.decision.side != PathSide::kContainer) {
    ASSIGN_OR_RETURN(sight.covered, ContainerHas(context, place));
  }
  return sight;
}

absl::Status ViewFileSystemImpl::UnlinkInLayer(const CallContext& context, const Place& place) {
  ASSIGN_OR_RETURN(const Gate::Pass changing, place.parent->changing().Enter(context.stop));
  ASSIGN_OR_RETURN(const Found found, LookupChild(context, place));
  if (found.node->IsDirectory()) return ErrnoStatus(EISDIR);
  ASSIGN_OR_RETURN(const Gate::Pass copying, found.node->copying().Enter(context.stop));
  ASSIGN_OR_RETURN(const std::optional<Attributes> covered, Covered(context, place, found));
  const bool hides = covered || found.side != Side::kLayer;
  if (hides || RecordsOwners()) RETURN_IF_ERROR(CheckRemoval(context, place, found));
  RETURN_IF_ERROR(LinkKnownNames(context, found.node));  // this may be the only one that its copy has
  if (hides) {
    RETURN_IF_ERROR(HideName(place, covered));
  } else {
    ASSIGN_OR_RETURN(const NodeId parent, InnerOf(context, place.parent, Side::kLayer));
    RETURN_IF_ERROR(On(Side::kLayer).Unlink(context, parent, place.name).status());
  }
  if (found.side != Side::kLayer) found.node->CountHiddenName();
  nodes_.RemoveName(found.node, place.parent, place.name);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Gate::Pass>> ViewFileSystemImpl::EnterAll(std::vector<ViewNode*> directories,
                                                                     const std::stop_token& stop) {
  std::sort(directories.begin(), directories.end(),
            [](const ViewNode* one, const ViewNode* other) { return one->id() < other->id(); });
  directories.erase(std::unique(directories.begin(), directories.end()), directories.end());
  std::vector<Gate::Pass> passes;
  for (ViewNode* directory : directories) {
    ASSIGN_OR_RETURN(Gate::Pass pass, directory->changing().Enter(stop));
    passes.push_back(std::move(pass));
  }
  return passes;
}

absl::Status ViewFileSystemImpl::RmdirInLayer(const CallContext& context, const Place& place) {
  ViewNodePtr expected = nodes_.Under(place.parent, place.name);
  while (true) {
    std::vector<ViewNode*> directories = {place.parent.get()};
    if (expected != nullptr) directories.push_back(expected.get());
    ASSIGN_OR_RETURN(const auto passes, EnterAll(std::move(directories), context.stop));
    ASSIGN_OR_RETURN(const Found found, LookupChild(context, place));
    if (!found.node->IsDirectory()) return ErrnoStatus(ENOTDIR);
    if (found.node == expected) return RemoveDirectory(context, place, found);
    expected = found.node;  // its gate is to be entered, too
  }
}

absl::Status ViewFileSystemImpl::RemoveDirectory(const CallContext& context, const Place& place, const Found& found) {
  RETURN_IF_ERROR(CheckEmpty(context, found.node));
  ASSIGN_OR_RETURN(const Gate::Pass copying, found.node->copying().Enter(context.stop));
  ASSIGN_OR_RETURN(const std::optional<Attributes> covered, Covered(context, place, found));
  RETURN_IF_ERROR(CheckRemoval(context, place, found));
  // It may have been copied since it was looked up.
  if (found.node->Serving() == Side::kLayer) {
    RETURN_IF_ERROR(RemoveLayerDirectory(place, covered));
  } else {
    RETURN_IF_ERROR(HideName(place, covered));
  }
  nodes_.RemoveName(found.node, place.parent, place.name);
  return absl::OkStatus();
}

// All that is left in it are place holders. They go with it, in one step.
absl::Status ViewFileSystemImpl::RemoveLayerDirectory(const Place& place, const std::optional<Attributes>& covered) {
  const Layer& layer = *options_.layer;
  std::string work_name = layer.NextWorkName();
  if (covered) {
    LayerRecord record;
    record.base = MakeLayerBase(*covered);
    ASSIGN_OR_RETURN(work_name, layer.MakeWhiteout(record));
  }
  absl::Status moved;
  {
    MutexLock lock(placing_);
    ASSIGN_OR_RETURN(const UniqueFd parent, OpenLayerParent(*place.parent));
    moved = covered ? layer.ExchangeWithWork(work_name, parent.get(), place.name)
                    : layer.MoveToWork(parent.get(), place.name, work_name);
  }
  const absl::Status removed = RemoveRecursively(layer.work(), work_name);
  return moved.ok() ? removed : moved;
}

}  // namespace mirrorfs
