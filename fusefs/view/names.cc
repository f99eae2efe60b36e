// Lookup and Readlink.
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"
#include "protos/rootfs/component_name.h"

namespace mirrorfs {

absl::StatusOr<Entry> ViewFileSystemImpl::Lookup(const CallContext& context, NodeId parent, std::string_view name) {
  RETURN_IF_ERROR(CheckComponentName(name));
  ASSIGN_OR_RETURN(const ViewNodePtr directory, FindDirectory(parent));
  ASSIGN_OR_RETURN(const Place place, PlaceIn(directory, name));
  ASSIGN_OR_RETURN(Found found, LookupChild(context, place));
  return GiveOut(std::move(found));
}

bool ViewFileSystemImpl::ContainerHasPart(const ViewNode& directory) const {
  if (!Has(Side::kContainer)) return false;
  if (directory.decision().side != PathSide::kLocal || directory.primary() == Side::kContainer) return true;
  const absl::StatusOr<std::string> path = PathOf(directory);
  return path.ok() && MayLeadTo(Side::kContainer, *path);
}

// A program of this machine must not wait for the container, whose part of a listing it does not need.
std::optional<absl::StatusOr<Entry>> ViewFileSystemImpl::LookupHere(const CallContext& context, NodeId parent,
                                                                    std::string_view name) {
  const absl::StatusOr<Place> place = FindPlace(parent, name);
  if (!place.ok() || !ContainerHasPart(*place->parent)) return std::nullopt;
  const PathDecision& decision = place->decision;
  const bool nowhere = decision.side == PathSide::kNotFound;
  if (!nowhere && (decision.side != PathSide::kLocal || decision.writes == WritesGo::kLayer)) return std::nullopt;
  absl::StatusOr<Found> found = nowhere ? LookupChild(context, *place) : LookupLocally(context, *place);
  if (!found.ok() && !nowhere && MayLeadTo(Side::kContainer, place->path)) return std::nullopt;
  if (!found.ok()) return found.status();
  return GiveOut(*std::move(found));
}

absl::StatusOr<ViewFileSystemImpl::Found> ViewFileSystemImpl::LookupLocally(const CallContext& context,
                                                                            const Place& place) {
  RETURN_IF_ERROR(CheckSearch(context, place.parent));
  ASSIGN_OR_RETURN(Entry entry, InnerLookup(context, Side::kLocal, place));
  return Admit(context, place, Side::kLocal, std::move(entry));
}

// What the side told of the directory is told on if that is what the view shows.
void ViewFileSystemImpl::TranslateDirectory(const Place& place, Side side, Entry& entry) const {
  if (entry.directory == nullptr) return;
  const std::optional<Attributes> shown = ShownAfterwards(*place.parent, side, *entry.directory);
  entry.directory = shown ? std::make_shared<const Attributes>(*shown) : nullptr;
}

Entry ViewFileSystemImpl::GiveOut(Found found) {
  nodes_.GiveOut(found.node);
  return std::move(found.entry);
}

absl::StatusOr<ViewFileSystemImpl::Found> ViewFileSystemImpl::LookupChild(const CallContext& context,
                                                                          const Place& place) {
  RETURN_IF_ERROR(CheckSearch(context, place.parent));
  if (place.decision.side == PathSide::kNotFound) return ErrnoStatus(ENOENT);
  if (place.decision.writes == WritesGo::kLayer) {
    ASSIGN_OR_RETURN(InLayer in_layer, LookupInLayer(context, place));
    if (in_layer.state == InLayer::State::kHidden) return ErrnoStatus(ENOENT);
    if (in_layer.state == InLayer::State::kPresent) return AdmitFromLayer(place, std::move(in_layer));
  }
  return LookupOnSides(context, place);
}

absl::StatusOr<ViewFileSystemImpl::Found> ViewFileSystemImpl::LookupOnSides(const CallContext& context,
                                                                            const Place& place) {
  const bool is_local = place.decision.side == PathSide::kLocal;
  const Side side = is_local ? Side::kLocal : Side::kContainer;
  absl::StatusOr<Entry> entry = InnerLookup(context, side, place);
  if (ToErrno(entry.status()) == ENOENT) {
    return LookupOnTheWay(context, place, is_local ? Side::kContainer : Side::kLocal);
  }
  RETURN_IF_ERROR(entry.status());
  return Admit(context, place, side, *std::move(entry));
}

// Another name of a file that has been copied into the layer: from now on the copy has it, too.
absl::StatusOr<ViewFileSystemImpl::Found> ViewFileSystemImpl::GiveNameToCopy(const CallContext& context,
                                                                             const Place& place, Found found) {
  {
    ASSIGN_OR_RETURN(const Gate::Pass copying, found.node->copying().Enter(context.stop));
    if (!LinkKnownNames(context, found.node).ok()) return found;  // it is seen all the same
  }
  ASSIGN_OR_RETURN(InLayer in_layer, LookupInLayer(context, place));
  return in_layer.state == InLayer::State::kPresent ? AdmitFromLayer(place, std::move(in_layer)) : std::move(found);
}

absl::StatusOr<ViewFileSystemImpl::InLayer> ViewFileSystemImpl::LookupInLayer(const CallContext& context,
                                                                              const Place& place) {
  InLayer result;
  if (!Has(Side::kLayer)) return result;
  absl::StatusOr<Entry> entry = InnerLookup(context, Side::kLayer, place);
  const int error = ToErrno(entry.status());
  if (error == ENOENT || error == ENOTDIR) return result;
  if (!entry.ok()) return entry.status();
  result.entry = *std::move(entry);
  if (!result.entry.attributes.without_xattrs) {
    absl::StatusOr<UniqueFd> file = OpenInLayer(place);
    absl::StatusOr<LayerRecord> record = file.ok() ? options_.layer->ReadRecord(file->get()) : file.status();
    if (!record.ok()) nodes_.GiveBack(Side::kLayer, result.entry.node);
    if (ToErrno(record.status()) == ENOENT) return InLayer{};  // it has just gone
    RETURN_IF_ERROR(record.status());
    result.record = *std::move(record);
    result.file = *std::move(file);
  }
  if (result.record.whiteout) {
    nodes_.GiveBack(Side::kLayer, result.entry.node);
    result.state = InLayer::State::kHidden;
  } else {
    result.state = InLayer::State::kPresent;
  }
  return result;
}

ViewFileSystemImpl::Found ViewFileSystemImpl::AdmitFromLayer(const Place& place, InLayer in_layer, NodeId proposed) {
  const Finding finding{Side::kLayer, std::move(in_layer.entry), place.decision, place.parent, place.name};
  Found found{.node = nodes_.Adopt(finding, proposed), .entry = finding.entry, .side = Side::kLayer};
  found.node->SetRecord(in_layer.record);
  TranslateDirectory(place, Side::kLayer, found.entry);
  found.entry.node = found.node->id();
  found.entry.attributes = Shown(*found.node, Side::kLayer, finding.entry.attributes);
  return found;
}

absl::StatusOr<ViewFileSystemImpl::Found> ViewFileSystemImpl::Admit(const CallContext& context, const Place& place,
                                                                    Side side, Entry entry, NodeId proposed) {
  const Finding finding{side, std::move(entry), place.decision, place.parent, place.name};
  Found found{.node = nodes_.Adopt(finding, proposed), .entry = finding.entry, .side = side};
  found.entry.node = found.node->id();
  TranslateDirectory(place, side, found.entry);
  if (found.node->Serving() == side) {
    found.entry.attributes = Shown(*found.node, side, finding.entry.attributes);
    return found;
  }
  ASSIGN_OR_RETURN(found.entry.attributes, AttributesOf(context, *found.node, HandleId::kNone));
  const bool copied = !found.node->IsDirectory() && found.node->Serving() == Side::kLayer;
  return copied ? GiveNameToCopy(context, place, std::move(found)) : std::move(found);
}

absl::StatusOr<ViewFileSystemImpl::Found> ViewFileSystemImpl::LookupOnTheWay(const CallContext& context,
                                                                             const Place& place, Side side) {
  if (!Has(side) || !MayLeadTo(side, place.path)) return ErrnoStatus(ENOENT);
  absl::StatusOr<Entry> entry = InnerLookup(AsDaemon(context), side, place);
  if (!entry.ok()) return IsAnswer(entry.status()) ? ErrnoStatus(ENOENT) : entry.status();
  const bool leads = entry->attributes.type == FileType::kDirectory &&
                     LeadsSomewhere(AsDaemon(context), side, entry->node, place.path);
  if (leads) return Admit(context, place, side, *std::move(entry));
  nodes_.GiveBack(side, entry->node);
  return ErrnoStatus(ENOENT);
}

absl::StatusOr<std::string> ViewFileSystemImpl::Readlink(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const ViewNodePtr found, FindNode(node));
  ASSIGN_OR_RETURN(const Inner inner, ServingInner(*found));
  return inner.files->Readlink(context, inner.node);
}

}  // namespace mirrorfs
