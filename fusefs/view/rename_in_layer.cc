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
  // A directory that is to go must stay as empty as it is: the one that was seen last, which the looking shows.
  ViewNodePtr expected = nodes_.Under(to.parent, to.name);
  while (true) {
    const bool goes = expected != nullptr && expected->IsDirectory() && mode != RenameMode::kExchange;
    std::vector<ViewNode*> directories = {from.parent.get(), to.parent.get()};
    if (goes) directories.push_back(expected.get());
    ASSIGN_OR_RETURN(const auto passes, EnterAll(std::move(directories), context.stop));
    ASSIGN_OR_RETURN(const Move move, LookAtMove(context, from, to, mode));
    const bool replaces_directory = move.Replaced() != nullptr && move.target->node->IsDirectory();
    if (replaces_directory && move.target->node != expected) {
      expected = move.target->node;
      continue;
    }
    RETURN_IF_ERROR(CheckMove(context, move));
    if (move.target && move.target->node == move.moved.node) return absl::OkStatus();  // two names of one file
    RETURN_IF_ERROR(CheckMoveRights(context, move));
    return BringAndMove(context, move);
  }
}

absl::StatusOr<ViewFileSystemImpl::Move> ViewFileSystemImpl::LookAtMove(const CallContext& context, const Place& from,
                                                                        const Place& to, RenameMode mode) {
  RETURN_IF_ERROR(CheckSearch(context, from.parent));
  RETURN_IF_ERROR(CheckSearch(context, to.parent));
  Move move{.from = from, .to = to, .mode = mode, .moved = {}, .target = {}, .covered = {}, .target_covered = {}};
  ASSIGN_OR_RETURN(Sight source, LookAt(context, from));
  if (!source.found) return ErrnoStatus(ENOENT);
  ASSIGN_OR_RETURN(Sight target, LookAt(context, to));
  move.moved = *std::move(source.found);
  move.covered = source.covered;
  move.target = std::move(target.found);
  move.target_covered = target.covered;
  return move;
}

absl::Status ViewFileSystemImpl::BringAndMove(const CallContext& context, const Move& move) {
  std::vector<Rewritten> rewritten;
  absl::Cleanup undo = [&] {
    for (const Rewritten& one : rewritten) PutRecordBack(context, one);
  };
  RETURN_IF_ERROR(BringForMove(context, move.from, move.moved, move.target_covered, rewritten));
  Gate::Pass copying;
  if (move.mode == RenameMode::kExchange) {
    RETURN_IF_ERROR(BringForMove(context, move.to, *move.target, move.covered, rewritten));
  } else if (const ViewNodePtr replaced = move.Replaced(); replaced != nullptr) {
    // Nobody may bring it to where the moved one is by then.
    ASSIGN_OR_RETURN(copying, replaced->copying().Enter(context.stop));
    RETURN_IF_ERROR(LinkKnownNames(context, replaced));
  }
  std::vector<std::string> left;
  const absl::Cleanup clean_up = [&] {
    for (const std::string& name : left) static_cast<void>(RemoveRecursively(options_.layer->work(), name));
  };
  {
    MutexLock lock(placing_);  // what is noted is right for all who make a path afterwards
    RETURN_IF_ERROR(MoveInTree(move, left));
    std::move(undo).Cancel();
    RETURN_IF_ERROR(NoteLayerName(context, move.to));
    if (move.mode == RenameMode::kExchange) return NoteLayerName(context, move.from);
  }
  if (move.target && move.target->side != Side::kLayer) move.target->node->CountHiddenName();
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
    RETURN_IF_ERROR(CheckUniform(context, move.moved.node, move.from, move.to));
    if (exchange) RETURN_IF_ERROR(CheckUniform(context, move.target->node, move.to, move.from));
  }
  return absl::OkStatus();
}

absl::Status ViewFileSystemImpl::CheckMoveRights(const CallContext& context, const Move& move) {
  RETURN_IF_ERROR(CheckRemoval(context, move.from, move.moved));
  if (move.target) {
    RETURN_IF_ERROR(CheckRemoval(context, move.to, *move.target));
  } else {
    RETURN_IF_ERROR(CheckMayAdd(context, move.to.parent));
  }
  if (move.from.parent == move.to.parent) return absl::OkStatus();
  // A directory has a name for the one that it is in.
  RETURN_IF_ERROR(CheckMayLeave(context, move.moved.node));
  return move.mode == RenameMode::kExchange ? CheckMayLeave(context, move.target->node) : absl::OkStatus();
}

absl::Status ViewFileSystemImpl::CheckMayLeave(const CallContext& context, const ViewNodePtr& node) {
  if (!node->IsDirectory()) return absl::OkStatus();
  if (RecordsOwners() || node->Serving() != Side::kLayer) return CheckAccess(context, node, {.write = true});
  return On(Side::kLayer).Access(context, node->On(Side::kLayer).node, {.write = true});
}

std::optional<std::string> ViewFileSystemImpl::ContainerPathOf(const ViewNode& directory) const {
  if (directory.id() == NodeId::kRoot) return "/";
  const LayerRecord record = directory.Record();
  if (record.from) return record.from;
  const auto name = directory.LatestName();
  if (record.opaque || !name) return std::nullopt;
  std::optional<std::string> path = ContainerPathOf(*name->parent);
  if (path) path = JoinPath(*path, name->name);
  return path;
}

// Brought into the layer, with a record that is right under the new name. Under the old one it says nothing wrong: a
// directory's names are where they were, a file's content is its own.
absl::Status ViewFileSystemImpl::BringForMove(const CallContext& context, const Place& from, const Found& found,
                                              const std::optional<Attributes>& covered_there,
                                              std::vector<Rewritten>& rewritten) {
  const ViewNodePtr& node = found.node;
  RETURN_IF_ERROR(CopyUp(context, node).status());
  NodeId in_container = NodeId::kInvalid;
  if (node->IsDirectory()) {
    ASSIGN_OR_RETURN(in_container, InnerOf(AsDaemon(context), node, Side::kContainer));
  }
  ASSIGN_OR_RETURN(const Gate::Pass copying, node->copying().Enter(context.stop));
  RETURN_IF_ERROR(LinkKnownNames(context, node));  // the name may be none that the copy has
  ASSIGN_OR_RETURN(const AttributesReply is,
                   On(Side::kLayer).GetAttr(AsDaemon(context), {.node = node->On(Side::kLayer).node}));
  // A record is that of all names of a file: it stays that of the others.
  if (!node->IsDirectory() && is.attributes.nlink > 1) return absl::OkStatus();
  LayerRecord before;
  RETURN_IF_ERROR(UpdateRecord(context, *node, [&](LayerRecord& record) {
    before = record;
    const bool has_origin = node->IsDirectory() ? in_container != NodeId::kInvalid : record.base.has_value();
    if (has_origin && !record.from) {
      const std::optional<std::string> path = ContainerPathOf(*from.parent);
      if (path) record.from = JoinPath(*path, from.name);
    }
    if (node->IsDirectory() && !has_origin) record.opaque = true;
    record.base.reset();
    if (covered_there) record.base = MakeLayerBase(*covered_there);
  }));
  rewritten.push_back({node, std::move(before)});
  return absl::OkStatus();
}

void ViewFileSystemImpl::PutRecordBack(const CallContext& context, const Rewritten& rewritten) {
  const absl::StatusOr<Gate::Pass> copying = rewritten.node->copying().Enter({});
  static_cast<void>(UpdateRecord(context, *rewritten.node, [&](LayerRecord& record) {
    record.from = rewritten.before.from;
    record.base = rewritten.before.base;
    record.opaque = rewritten.before.opaque;
  }));
}

absl::Status ViewFileSystemImpl::MoveInTree(const Move& move, std::vector<std::string>& left) {
  ASSIGN_OR_RETURN(const UniqueFd from, OpenLayerParent(*move.from.parent));
  ASSIGN_OR_RETURN(const UniqueFd to, OpenLayerParent(*move.to.parent));
  const bool exchange = move.mode == RenameMode::kExchange;
  if (!exchange && move.moved.node->IsDirectory()) {
    RETURN_IF_ERROR(MoveDirectory(move, from.get(), to.get(), left));
  } else if (!exchange && move.covered) {
    RETURN_IF_ERROR(ReplaceAndHide(move, from.get(), to.get()));
  } else if (::renameat2(from.get(), move.from.name.c_str(), to.get(), move.to.name.c_str(),
                         exchange ? RENAME_EXCHANGE : 0) != 0) {
    return LastErrno("rename in the layer");
  }
  NoteMoved(move.from, move.to, move.moved.node, move.target ? move.target->node : nullptr, move.mode);
  return absl::OkStatus();
}

namespace {

// What was made in `work` gets a name; what had the name before is in `work` then, in its place. True: something had.
absl::StatusOr<bool> PutInPlace(const Layer& layer, const std::string& made, int directory, const std::string& name) {
  const absl::Status exchanged = layer.ExchangeWithWork(made, directory, name);
  if (exchanged.ok()) return true;
  if (ToErrno(exchanged) != ENOENT) return exchanged;
  RETURN_IF_ERROR(layer.PlaceFromWork(made, directory, name));
  return false;
}

// The name is as it was before PutInPlace.
void TakeBack(const Layer& layer, const std::string& made, int directory, const std::string& name, bool exchanged) {
  if (exchanged) {
    static_cast<void>(layer.ExchangeWithWork(made, directory, name));
  } else {
    ::unlinkat(directory, name.c_str(), 0);
  }
}

}  // namespace

// A place holder for the old name is put under the new one, and both change places in one step. What was under the new
// one before is out of sight by then: a place holder, or a directory with nothing but such in it.
absl::Status ViewFileSystemImpl::MoveDirectory(const Move& move, int from, int to, std::vector<std::string>& left) {
  const Layer& layer = *options_.layer;
  LayerRecord hiding;
  if (move.covered) hiding.base = MakeLayerBase(*move.covered);
  ASSIGN_OR_RETURN(const std::string holder, layer.MakeWhiteout(hiding));
  left.push_back(holder);
  ASSIGN_OR_RETURN(const bool exchanged, PutInPlace(layer, holder, to, move.to.name));
  if (::renameat2(from, move.from.name.c_str(), to, move.to.name.c_str(), RENAME_EXCHANGE) != 0) {
    const absl::Status failed = LastErrno("rename in the layer");
    TakeBack(layer, holder, to, move.to.name, exchanged);
    return failed;
  }
  if (!move.covered) ::unlinkat(from, move.from.name.c_str(), 0);  // it hides nothing
  return absl::OkStatus();
}

// The new name first, then the old one away: in between the file has both, and is never without any. All that takes
// room has been made by then.
absl::Status ViewFileSystemImpl::ReplaceAndHide(const Move& move, int from, int to) {
  const Layer& layer = *options_.layer;
  LayerRecord hiding;
  hiding.base = MakeLayerBase(*move.covered);
  ASSIGN_OR_RETURN(const std::string holder, layer.MakeWhiteout(hiding));
  const std::string second_name = layer.NextWorkName();
  const absl::Cleanup clean_up = [&] {
    for (const std::string& name : {holder, second_name}) ::unlinkat(layer.work(), name.c_str(), 0);
  };
  if (::linkat(from, move.from.name.c_str(), layer.work(), second_name.c_str(), 0) != 0) {
    return LastErrno("rename in the layer");
  }
  ASSIGN_OR_RETURN(const bool exchanged, PutInPlace(layer, second_name, to, move.to.name));
  const absl::Status hidden = layer.PlaceFromWork(holder, from, move.from.name);
  if (!hidden.ok()) TakeBack(layer, second_name, to, move.to.name, exchanged);
  return hidden;
}

}  // namespace mirrorfs
