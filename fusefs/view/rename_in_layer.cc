// Rename of what is written to the layer.
//
// A directory is not copied: it is made in the layer, moved there, and its record says where in the container its
// names are. A file is copied, and moved.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fusefs/view/view_file_system_impl.h"
#include "protos/layer/file_tree.h"

namespace mirrorfs {
namespace {

bool IsWithin(const ViewNodePtr& node, const ViewNodePtr& directory) {
  ViewNodePtr at = node;
  while (at != nullptr && at != directory) {
    const auto name = at->LatestName();
    at = name ? name->parent : nullptr;
  }
  return at != nullptr;
}

}  // namespace

absl::Status ViewFileSystemImpl::RenameInLayer(const CallContext& context, const Place& from, const Place& to,
                                               RenameMode mode) {
  ASSIGN_OR_RETURN(const BothPasses passes, EnterBoth(*from.parent, *to.parent, context.stop));
  RETURN_IF_ERROR(CheckSearch(context, from.parent));
  RETURN_IF_ERROR(CheckSearch(context, to.parent));
  Move move{.from = from, .to = to, .mode = mode, .moved = {}, .target = {}, .covered = {}, .target_covered = {}};
  ASSIGN_OR_RETURN(move.moved, LookupChild(context, from));
  absl::StatusOr<Found> target = LookupChild(context, to);
  if (!target.ok() && ToErrno(target.status()) != ENOENT) return target.status();
  if (target.ok()) move.target = *std::move(target);
  RETURN_IF_ERROR(CheckMove(context, move));
  if (move.target && move.target->node == move.moved.node) return absl::OkStatus();  // two names of one file
  ASSIGN_OR_RETURN(move.covered, Covered(context, from, move.moved));
  if (move.target) {
    ASSIGN_OR_RETURN(move.target_covered, Covered(context, to, *move.target));
  } else {
    ASSIGN_OR_RETURN(move.target_covered, ContainerHas(context, to));
  }
  if (move.InLayerAlone()) return MoveAlone(context, move);
  RETURN_IF_ERROR(CheckMoveRights(context, move));
  RETURN_IF_ERROR(BringForMove(context, from, move.moved, move.target_covered));
  if (mode == RenameMode::kExchange) RETURN_IF_ERROR(BringForMove(context, to, *move.target, move.covered));
  RETURN_IF_ERROR(MoveInTree(move));
  RETURN_IF_ERROR(NoteLayerName(context, to));
  if (mode == RenameMode::kExchange) RETURN_IF_ERROR(NoteLayerName(context, from));
  if (move.target && mode != RenameMode::kExchange && move.target->side != Side::kLayer) {
    move.target->node->CountHiddenName();
  }
  NoteMoved(from, to, move.moved.node, move.target ? move.target->node : nullptr, mode);
  return absl::OkStatus();
}

absl::Status ViewFileSystemImpl::CheckMove(const CallContext& context, const Move& move) {
  const bool exchange = move.mode == RenameMode::kExchange;
  const bool directory = move.moved.node->IsDirectory();
  if (move.mode == RenameMode::kNoReplace && move.target) return ErrnoStatus(EEXIST);
  if (exchange && !move.target) return ErrnoStatus(ENOENT);
  if (directory && IsWithin(move.to.parent, move.moved.node)) return ErrnoStatus(EINVAL);
  if (exchange && IsWithin(move.from.parent, move.target->node)) return ErrnoStatus(EINVAL);
  if (move.target && !exchange && IsWithin(move.from.parent, move.target->node)) return ErrnoStatus(ENOTEMPTY);
  if (move.target && !exchange && move.target->node != move.moved.node) {
    if (directory && !move.target->node->IsDirectory()) return ErrnoStatus(ENOTDIR);
    if (!directory && move.target->node->IsDirectory()) return ErrnoStatus(EISDIR);
    if (directory) RETURN_IF_ERROR(CheckEmpty(context, move.target->node));
  }
  if (MappedAway(move.from) || MappedAway(move.to)) return ErrnoStatus(EXDEV, "a mapping leads elsewhere");
  if (options_.policy.MayDifferBelow(move.from.path) || options_.policy.MayDifferBelow(move.to.path)) {
    RETURN_IF_ERROR(CheckUniform(context, move.from, move.to));
    if (exchange) RETURN_IF_ERROR(CheckUniform(context, move.to, move.from));
  }
  return absl::OkStatus();
}

absl::Status ViewFileSystemImpl::CheckMoveRights(const CallContext& context, const Move& move) {
  RETURN_IF_ERROR(CheckRemoval(context, move.from, move.moved));
  return CheckRemoval(context, move.to, move.target ? *move.target : move.moved);
}

// Nothing of the container's is in it: the layer's file system can do it by itself, and checks the rights.
absl::Status ViewFileSystemImpl::MoveAlone(const CallContext& context, const Move& move) {
  if (RecordsOwners()) RETURN_IF_ERROR(CheckMoveRights(context, move));
  ASSIGN_OR_RETURN(const NodeId from, InnerOf(context, move.from.parent, Side::kLayer));
  ASSIGN_OR_RETURN(const NodeId to, EnsureLayerDirectory(context, move.to.parent));
  if (move.target && move.target->node->IsDirectory() && move.mode != RenameMode::kExchange) {
    MutexLock lock(placing_);  // of place holders, which hide what is not there any more
    ASSIGN_OR_RETURN(const UniqueFd directory, options_.layer->OpenPath(TreePath(move.to.path)));
    RETURN_IF_ERROR(EmptyDirectory(directory.get()));
  } else if (!move.target) {
    MutexLock lock(placing_);  // as well
    ASSIGN_OR_RETURN(const UniqueFd parent, OpenLayerParent(*move.to.parent));
    const absl::StatusOr<UniqueFd> hidden = options_.layer->OpenName(parent.get(), move.to.name);
    if (hidden.ok()) ::unlinkat(parent.get(), move.to.name.c_str(), 0);
  }
  RETURN_IF_ERROR(On(Side::kLayer).Rename(context, from, move.from.name, to, move.to.name, move.mode).status());
  NoteMoved(move.from, move.to, move.moved.node, move.target ? move.target->node : nullptr, move.mode);
  return absl::OkStatus();
}

std::optional<std::string> ViewFileSystemImpl::ContainerPathOf(const ViewNode& directory) const {
  if (directory.id() == NodeId::kRoot) return "/";
  const LayerRecord record = directory.Record();
  if (record.from) return record.from;
  const auto name = directory.LatestName();
  if (record.opaque || !name) return std::nullopt;
  std::optional<std::string> path = ContainerPathOf(*name->parent);
  if (path) path = (*path == "/" ? "/" : *path + "/") + name->name;
  return path;
}

absl::Status ViewFileSystemImpl::BringForMove(const CallContext& context, const Place& from, const Found& found,
                                              const std::optional<Attributes>& covered_there) {
  const bool directory = found.node->IsDirectory();
  RETURN_IF_ERROR(CopyUp(context, found.node).status());
  LayerRecord record = found.node->Record();
  NodeId in_container = NodeId::kInvalid;
  if (directory) {
    ASSIGN_OR_RETURN(in_container, InnerOf(AsDaemon(context), found.node, Side::kContainer));
  }
  const bool has_origin = directory ? in_container != NodeId::kInvalid : record.base.has_value();
  if (has_origin && !record.from) {
    std::optional<std::string> path = ContainerPathOf(*from.parent);
    if (path) record.from = (*path == "/" ? "/" : *path + "/") + from.name;
  }
  if (directory && !has_origin) record.opaque = true;
  record.base.reset();
  if (covered_there) record.base = MakeLayerBase(*covered_there);
  RETURN_IF_ERROR(WriteRecordAt(from.path, record));
  found.node->SetRecord(record);
  return absl::OkStatus();
}

absl::Status ViewFileSystemImpl::MoveInTree(const Move& move) {
  MutexLock lock(placing_);
  ASSIGN_OR_RETURN(const UniqueFd from, OpenLayerParent(*move.from.parent));
  ASSIGN_OR_RETURN(const UniqueFd to, OpenLayerParent(*move.to.parent));
  const char* name = move.from.name.c_str();
  const char* new_name = move.to.name.c_str();
  if (move.mode == RenameMode::kExchange) {
    const int result = ::renameat2(from.get(), name, to.get(), new_name, RENAME_EXCHANGE);
    return ErrnoStatus(result == 0 ? 0 : errno, "rename in the layer");
  }
  if (move.moved.node->IsDirectory()) {
    // What is in its way is a place holder, or a directory with nothing but such in it.
    const absl::StatusOr<UniqueFd> there = options_.layer->OpenName(to.get(), move.to.name);
    if (there.ok() && ::unlinkat(to.get(), new_name, 0) != 0) RETURN_IF_ERROR(EmptyDirectory(there->get()));
  }
  if (move.covered && !move.moved.node->IsDirectory()) return ReplaceAndHide(move, from.get(), to.get());
  if (::renameat(from.get(), name, to.get(), new_name) != 0) return LastErrno("rename in the layer");
  if (!move.covered) return absl::OkStatus();
  LayerRecord hiding;
  hiding.base = MakeLayerBase(*move.covered);
  return options_.layer->PlaceWhiteout(from.get(), move.from.name, hiding);
}

// The new name first, then the old one away: in between the file has both, and is never without any.
absl::Status ViewFileSystemImpl::ReplaceAndHide(const Move& move, int from, int to) {
  const Layer& layer = *options_.layer;
  const std::string work_name = layer.NextWorkName();
  if (::linkat(from, move.from.name.c_str(), layer.work(), work_name.c_str(), 0) != 0) {
    return LastErrno("rename in the layer");
  }
  const absl::Cleanup clean_up = [&] { ::unlinkat(layer.work(), work_name.c_str(), 0); };
  RETURN_IF_ERROR(layer.PlaceFromWork(work_name, to, move.to.name));
  LayerRecord hiding;
  hiding.base = MakeLayerBase(*move.covered);
  return layer.PlaceWhiteout(from, move.from.name, hiding);
}

}  // namespace mirrorfs
