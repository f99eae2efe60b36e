// Bringing files and directories of the container (or of what else serves a path) into the layer.
//
// A copy is made in the layer's work directory and renamed into the tree when it is whole: a daemon that is killed
// leaves nothing half done. What is open goes on with the copy.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fusefs/view/layer_copy.h"
#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {

absl::StatusOr<NodeId> ViewFileSystemImpl::CopyUp(const CallContext& context, const ViewNodePtr& node, uint64_t bytes) {
  if (node->IsDirectory()) return EnsureLayerDirectory(context, node);
  Counterpart part = node->On(Side::kLayer);
  if (part.state == Counterpart::State::kPresent) return part.node;
  ASSIGN_OR_RETURN(const Gate::Pass pass, node->copying().Enter(context.stop));
  part = node->On(Side::kLayer);
  if (part.state == Counterpart::State::kPresent) return part.node;
  return CopyFileUp(AsDaemon(context), node, bytes);
}

absl::StatusOr<NodeId> ViewFileSystemImpl::CopyFileUp(const CallContext& context, const ViewNodePtr& node,
                                                      uint64_t bytes) {
  ASSIGN_OR_RETURN(const Inner source, ServingInner(*node));
  absl::StatusOr<AttributesReply> asked = source.files->GetAttr(context, {.node = source.node});
  // A file without a name is still there through a handle of the client's, who may close another one at any time.
  const std::vector<HandleId> open = node->Handles();
  if (!asked.ok() && !open.empty()) {
    asked = source.files->GetAttr(context, {.node = source.node, .handle = open.front()});
  }
  ASSIGN_OR_RETURN(const AttributesReply reply, std::move(asked));
  const std::string work_name = options_.layer->NextWorkName();
  const absl::Cleanup clean_up = [&] { ::unlinkat(options_.layer->work(), work_name.c_str(), 0); };
  ASSIGN_OR_RETURN(const UniqueFd copy, MakeCopy(context, node, reply.attributes, bytes, work_name));
  LayerRecord record;
  record.inode = ShownInode(source.side, reply.attributes.inode);
  if (source.side == Side::kContainer) record.base = MakeLayerBase(reply.attributes);
  RecordMapping(*node, record);
  RETURN_IF_ERROR(DecorateCopy(context, node, reply.attributes, copy.get(), record));
  // As the layer's file system knows it: also where it has no name in the tree any more.
  ASSIGN_OR_RETURN(Entry entry, On(Side::kLayer).Lookup(context, layer_work_, work_name));
  const NodeId inner = entry.node;
  if (node->LatestName()) {
    const absl::Status placed = PutCopyInPlace(context, node, work_name);
    if (!placed.ok()) nodes_.GiveBack(Side::kLayer, inner);
    RETURN_IF_ERROR(placed);
  }
  node->SetRecord(record);
  nodes_.AddCounterpart(node, Side::kLayer, entry);
  RETURN_IF_ERROR(MoveHandles(context, node, inner));
  RETURN_IF_ERROR(LinkKnownNames(context, node));
  return inner;
}

absl::StatusOr<UniqueFd> ViewFileSystemImpl::MakeCopy(const CallContext& context, const ViewNodePtr& node,
                                                      const Attributes& attributes, uint64_t bytes,
                                                      const std::string& work_name) {
  ASSIGN_OR_RETURN(const Inner source, ServingInner(*node));
  const int work = options_.layer->work();
  if (attributes.type == FileType::kSymlink) {
    ASSIGN_OR_RETURN(const std::string target, source.files->Readlink(context, source.node));
    if (::symlinkat(target.c_str(), work, work_name.c_str()) != 0) return LastErrno("copy to the layer");
    return options_.layer->OpenName(work, work_name);
  }
  if (attributes.type != FileType::kRegular) {
    RETURN_IF_ERROR(MakeSpecialFile(work, work_name, attributes));
    return options_.layer->OpenName(work, work_name);
  }
  UniqueFd file(::openat(work, work_name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return LastErrno("copy to the layer");
  const uint64_t size = std::min(bytes, attributes.size);
  if (size == 0) return file;
  const HandleId handle = NextInternalHandle();
  const std::vector<HandleId> open = node->Handles();
  const absl::Status opened = source.files->Open(context, source.node, handle, {.read = true}, 0).status();
  // A file without a name is still read through a handle of the client's.
  const HandleId reading = opened.ok() || open.empty() ? handle : open.front();
  if (reading == handle) RETURN_IF_ERROR(opened);
  const absl::Cleanup release = [&] {
    if (reading == handle) source.files->Release(std::array{handle});
  };
  const bool sparse = attributes.blocks * 512 < attributes.size;
  CopyProgress progress{.path = PathOf(*node).value_or("a removed file"), .size = size};
  const absl::Cleanup tell_end = [&] {
    progress.over = true;
    if (progress.done > 0) options_.progress(progress);
  };
  RETURN_IF_ERROR(CopyData(context, *source.files, reading, file.get(), size, sparse, [&](uint64_t done) {
    progress.done = done;
    options_.progress(progress);
  }));
  return file;
}

absl::Status ViewFileSystemImpl::DecorateCopy(const CallContext& context, const ViewNodePtr& node,
                                              const Attributes& attributes, int fd, LayerRecord& record) {
  RETURN_IF_ERROR(CopyOwner(fd, attributes, *options_.layer, record));
  if (!attributes.without_xattrs) {
    ASSIGN_OR_RETURN(const Inner source, ServingInner(*node));
    RETURN_IF_ERROR(CopyXattrs(context, *source.files, source.node, fd, options_.layer->record_name()));
  }
  RETURN_IF_ERROR(CopyPermissions(fd, attributes, *options_.layer));
  RETURN_IF_ERROR(options_.layer->WriteRecord(fd, record));
  return CopyTimes(fd, attributes);
}

absl::Status ViewFileSystemImpl::PutCopyInPlace(const CallContext& context, const ViewNodePtr& node,
                                                const std::string& work_name) {
  const auto name = node->LatestName();
  RETURN_IF_ERROR(EnsureLayerDirectory(context, name->parent).status());
  MutexLock lock(placing_);
  ASSIGN_OR_RETURN(const UniqueFd parent, OpenLayerParent(*name->parent));
  {
    const KeptTimes kept(parent.get());  // the directory has not changed for who looks at the view
    RETURN_IF_ERROR(options_.layer->PlaceFromWork(work_name, parent.get(), name->name));
  }
  return NoteLayerName(context, {.parent = name->parent, .name = name->name, .path = {}, .decision = {}});
}

// A mapping that leads somewhere else with this name is written down: the layer is understood without the policy.
void ViewFileSystemImpl::RecordMapping(const ViewNode& node, LayerRecord& record) const {
  const auto name = node.LatestName();
  if (!name) return;
  const absl::StatusOr<Place> place = PlaceIn(name->parent, name->name);
  if (!place.ok()) return;
  record.from = MappedAway(*place);
  record.mapped = record.from.has_value();
}

// What was opened before goes on with the copy, as it would on one file system.
absl::Status ViewFileSystemImpl::MoveHandles(const CallContext& context, const ViewNodePtr& node, NodeId inner) {
  absl::Status result;
  for (const HandleId id : node->Handles()) {
    const ViewHandlePtr handle = handles_.Find(id);
    if (handle == nullptr || handle->side() == Side::kLayer) continue;
    OpenFlags flags = handle->flags;
    flags.truncate = false;
    const absl::Status opened = On(Side::kLayer).Open(context, inner, id, flags, 0).status();
    if (!opened.ok()) {
      if (result.ok()) result = opened;
      continue;
    }
    // One that has ended meanwhile has not been ended here.
    On(handle->MoveTo(Side::kLayer).value_or(Side::kLayer)).Release(std::array{id});
  }
  return result;
}

absl::Status ViewFileSystemImpl::MoveToCopy(const CallContext& context, const ViewHandle& handle) {
  if (handle.side() == Side::kLayer) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Gate::Pass pass, handle.node->copying().Enter(context.stop));
  RETURN_IF_ERROR(MoveHandles(AsDaemon(context), handle.node, handle.node->On(Side::kLayer).node));
  // Whatever happens, nothing private is done on another side.
  return ErrnoStatus(handle.side() == Side::kLayer ? 0 : EBADF);
}

absl::Status ViewFileSystemImpl::FollowCopy(const CallContext& context, const ViewNodePtr& node, Side opened_on,
                                            HandleId handle) {
  if (node->Serving() == opened_on) return absl::OkStatus();
  absl::StatusOr<Gate::Pass> pass = node->copying().Enter(context.stop);
  const absl::Status moved =
      pass.ok() ? MoveHandles(AsDaemon(context), node, node->On(Side::kLayer).node) : pass.status();
  if (!moved.ok()) Release(std::array{handle});
  return moved;
}

absl::StatusOr<NodeId> ViewFileSystemImpl::EnsureLayerDirectory(const CallContext& context,
                                                                const ViewNodePtr& directory) {
  ASSIGN_OR_RETURN(NodeId inner, InnerOf(AsDaemon(context), directory, Side::kLayer));
  if (inner != NodeId::kInvalid) return inner;
  ASSIGN_OR_RETURN(const Gate::Pass pass, directory->copying().Enter(context.stop));
  const Counterpart part = directory->On(Side::kLayer);
  if (part.state == Counterpart::State::kPresent) return part.node;
  const auto name = directory->LatestName();
  if (!name) return ErrnoStatus(ENOENT);
  ASSIGN_OR_RETURN(const NodeId parent, EnsureLayerDirectory(context, name->parent));
  const CallContext own = AsDaemon(context);
  ASSIGN_OR_RETURN(const Inner source, ServingInner(*directory));
  ASSIGN_OR_RETURN(const AttributesReply reply, source.files->GetAttr(own, {.node = source.node}));
  const std::string work_name = options_.layer->NextWorkName();
  const int work = options_.layer->work();
  if (::mkdirat(work, work_name.c_str(), 0700) != 0) return LastErrno("directory in the layer");
  const absl::Cleanup clean_up = [&] { ::unlinkat(work, work_name.c_str(), AT_REMOVEDIR); };
  ASSIGN_OR_RETURN(const UniqueFd made, options_.layer->OpenName(work, work_name));
  LayerRecord record;
  record.inode = ShownInode(source.side, reply.attributes.inode);
  ASSIGN_OR_RETURN(const Place place, PlaceIn(name->parent, name->name));
  if (source.side == Side::kContainer) {
    record.base = MakeLayerBase(reply.attributes);
  } else {
    ASSIGN_OR_RETURN(const auto has, ContainerHas(context, place));
    if (has && has->type == FileType::kDirectory) record.base = MakeLayerBase(*has);
  }
  RecordMapping(*directory, record);
  RETURN_IF_ERROR(DecorateCopy(own, directory, reply.attributes, made.get(), record));
  RETURN_IF_ERROR(PutCopyInPlace(own, directory, work_name));
  ASSIGN_OR_RETURN(const Entry entry, On(Side::kLayer).Lookup(own, parent, place.name));
  directory->SetRecord(record);
  nodes_.AddCounterpart(directory, Side::kLayer, entry);
  return entry.node;
}

absl::Status ViewFileSystemImpl::DecorateRoot(const CallContext& context) {
  const Side side = Has(Side::kContainer) ? Side::kContainer : Side::kLocal;
  ASSIGN_OR_RETURN(const AttributesReply root, On(side).GetAttr(context, {.node = NodeId::kRoot}));
  LayerRecord record;
  record.inode = ShownInode(side, root.attributes.inode);
  record.base = MakeLayerBase(root.attributes);
  const int tree = options_.layer->tree();
  RETURN_IF_ERROR(CopyOwner(tree, root.attributes, *options_.layer, record));
  RETURN_IF_ERROR(CopyPermissions(tree, root.attributes, *options_.layer));
  return options_.layer->WriteRecord(tree, record);
}

}  // namespace mirrorfs
