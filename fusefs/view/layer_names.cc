// Names in the layer's tree: what the daemon itself does there, by direct calls.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fmt/format.h"
#include "fusefs/view/layer_copy.h"
#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {

absl::StatusOr<UniqueFd> ViewFileSystemImpl::OpenLayerParent(const ViewNode& parent) const {
  ASSIGN_OR_RETURN(const std::string path, PathOf(parent));
  return options_.layer->OpenPath(std::string_view(path).substr(1));
}

absl::StatusOr<UniqueFd> ViewFileSystemImpl::OpenInLayer(const Place& place) {
  MutexLock lock(placing_);
  ASSIGN_OR_RETURN(const std::string parent, PathOf(*place.parent));
  const std::string path = JoinPath(parent, place.name);
  return options_.layer->OpenPath(std::string_view(path).substr(1));
}

absl::StatusOr<UniqueFd> ViewFileSystemImpl::OpenCopy(const CallContext& context, const ViewNode& node) {
  if (node.id() == NodeId::kRoot) return options_.layer->OpenPath("");
  const Counterpart part = node.On(Side::kLayer);
  for (const ViewNode::Name& name : node.Names()) {
    const absl::StatusOr<Place> place = PlaceIn(name.parent, name.name);
    if (!place.ok()) continue;  // its directory has been removed
    ASSIGN_OR_RETURN(InLayer in_layer, LookupInLayer(AsDaemon(context), *place));
    if (in_layer.state != InLayer::State::kPresent) continue;
    nodes_.GiveBack(Side::kLayer, in_layer.entry.node);
    if (in_layer.entry.node != part.node) continue;
    if (!in_layer.file) return OpenInLayer(*place);
    return std::move(in_layer.file);
  }
  return ErrnoStatus(ENOENT);
}

absl::Status ViewFileSystemImpl::UpdateRecord(const CallContext& context, ViewNode& node,
                                              const std::function<void(LayerRecord&)>& change) {
  LayerRecord record = node.Record();
  const absl::StatusOr<UniqueFd> file = OpenCopy(context, node);
  if (file.ok()) {
    ASSIGN_OR_RETURN(LayerRecord kept, options_.layer->ReadRecord(file->get()));
    if (!kept.Empty()) record = std::move(kept);
  } else if (ToErrno(file.status()) != ENOENT) {
    return file.status();  // else it has no name any more
  }
  change(record);
  if (file.ok()) RETURN_IF_ERROR(options_.layer->WriteRecord(file->get(), record));
  node.SetRecord(record);
  return absl::OkStatus();
}

absl::Status ViewFileSystemImpl::LinkKnownNames(const CallContext& context, const ViewNodePtr& node) {
  const std::vector<ViewNode::Name> names = node->Names();
  const bool copied =
      node->Serving() == Side::kLayer && node->On(Side::kContainer).state == Counterpart::State::kPresent;
  if (node->IsDirectory() || names.size() < 2 || !copied) return absl::OkStatus();
  const absl::StatusOr<UniqueFd> copy = OpenCopy(context, *node);
  if (ToErrno(copy.status()) == ENOENT) return absl::OkStatus();
  RETURN_IF_ERROR(copy.status());
  for (const ViewNode::Name& name : names) {
    const absl::StatusOr<Place> place = PlaceIn(name.parent, name.name);
    if (place.ok()) RETURN_IF_ERROR(LinkKnownName(context, *node, *place, copy->get()));
  }
  return absl::OkStatus();
}

absl::Status ViewFileSystemImpl::LinkKnownName(const CallContext& context, const ViewNode& node, const Place& place,
                                               int copy) {
  ASSIGN_OR_RETURN(const InLayer in_layer, LookupInLayer(AsDaemon(context), place));
  if (in_layer.state == InLayer::State::kPresent) nodes_.GiveBack(Side::kLayer, in_layer.entry.node);
  if (in_layer.state != InLayer::State::kAbsent || MappedAway(place)) return absl::OkStatus();
  const absl::StatusOr<Entry> there = InnerLookup(AsDaemon(context), Side::kContainer, place);
  if (!there.ok()) return IsAnswer(there.status()) ? absl::OkStatus() : there.status();
  nodes_.GiveBack(Side::kContainer, there->node);
  if (there->node != node.On(Side::kContainer).node) return absl::OkStatus();  // another file by now
  RETURN_IF_ERROR(EnsureLayerDirectory(context, place.parent).status());
  MutexLock lock(placing_);
  ASSIGN_OR_RETURN(const UniqueFd parent, OpenLayerParent(*place.parent));
  {
    const KeptTimes kept(parent.get());
    const std::string file = fmt::format("/proc/self/fd/{}", copy);
    const int result = ::linkat(AT_FDCWD, file.c_str(), parent.get(), place.name.c_str(), AT_SYMLINK_FOLLOW);
    if (result != 0 && errno != EEXIST) return LastErrno("link in the layer");
  }
  return NoteLayerName(context, place);
}

absl::StatusOr<std::optional<Attributes>> ViewFileSystemImpl::ContainerHas(const CallContext& context,
                                                                           const Place& place) {
  absl::StatusOr<Entry> entry = InnerLookup(AsDaemon(context), Side::kContainer, place);
  const int error = ToErrno(entry.status());
  if (error == ENOENT || error == ENOTDIR) return std::nullopt;
  if (!entry.ok()) return entry.status();
  nodes_.GiveBack(Side::kContainer, entry->node);
  return entry->attributes;
}

absl::Status ViewFileSystemImpl::HideName(const Place& place, const std::optional<Attributes>& what) {
  LayerRecord record;
  if (what) record.base = MakeLayerBase(*what);
  MutexLock lock(placing_);
  ASSIGN_OR_RETURN(const UniqueFd parent, OpenLayerParent(*place.parent));
  return options_.layer->PlaceWhiteout(parent.get(), place.name, record);
}

// The layer's file system finds its nodes by the names that it has seen them under.
absl::Status ViewFileSystemImpl::NoteLayerName(const CallContext& context, const Place& place) {
  const Counterpart parent = place.parent->On(Side::kLayer);
  ASSIGN_OR_RETURN(const Entry entry, On(Side::kLayer).Lookup(AsDaemon(context), parent.node, place.name));
  nodes_.GiveBack(Side::kLayer, entry.node);
  return absl::OkStatus();
}

}  // namespace mirrorfs
