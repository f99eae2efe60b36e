// Names in the layer's tree: what the daemon itself does there, by direct calls.
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {

absl::StatusOr<UniqueFd> ViewFileSystemImpl::OpenLayerParent(const ViewNode& parent) const {
  ASSIGN_OR_RETURN(const std::string path, PathOf(parent));
  return options_.layer->OpenPath(TreePath(path));
}

absl::StatusOr<LayerRecord> ViewFileSystemImpl::ReadRecordAt(const std::string& path) const {
  ASSIGN_OR_RETURN(const UniqueFd fd, options_.layer->OpenPath(TreePath(path)));
  return options_.layer->ReadRecord(fd.get());
}

absl::Status ViewFileSystemImpl::WriteRecordAt(const std::string& path, const LayerRecord& record) const {
  ASSIGN_OR_RETURN(const UniqueFd fd, options_.layer->OpenPath(TreePath(path)));
  return options_.layer->WriteRecord(fd.get(), record);
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

}  // namespace mirrorfs
